import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { MAX_STREAM_EVENTS, type StreamEntry } from './redis-stream.js';
import { RingBuffer } from './ring-buffer.js';
import { SseSubscriber, type Subscription } from './sse-subscriber.js';

const begin = (place = ''): string => `: watching\nretry: 2000\n${place}\n`;
const BEGIN = begin();

const entry = (number: number, fields: Record<string, string> = {}): StreamEntry => ({
  id: `${number}-0`,
  fields: {
    event: `{"n":${number}}`,
    application: 'shop',
    session_id: 's',
    category: 'c',
    name: 'n',
    ...fields,
  },
});
const entries = (from: number, to: number, fields?: Record<string, string>): StreamEntry[] =>
  Array.from({ length: to - from + 1 }, (_, at) => entry(from + at, fields));
const shown = (from: number, to: number): string =>
  entries(from, to)
    .map(({ id, fields }) => `id: ${id}\nevent: event\ndata: ${fields['event']}\n\n`)
    .join('');
const skipped = (count: number | null): string => `event: skipped\ndata: {"count":${count}}\n\n`;

/** A viewer, and what it was sent so far; with `reads: false` it reads nothing before it is told to. */
function view(recent: RingBuffer, wish: Partial<Subscription> = {}, reads = true) {
  const viewer = new SseSubscriber(recent, { filter: {}, mayWatch: () => Promise.resolve(true), ...wish });
  let text = '';
  const read = (): void => void viewer.on('data', (bytes: Buffer) => (text += bytes.toString()));
  if (reads) read();
  const sent = async (): Promise<string> => {
    await turn();
    await turn();
    return text;
  };
  return { viewer, sent, read };
}

describe('a viewer', () => {
  it('is sent what comes from now on, in its order', async () => {
    const recent = new RingBuffer();
    recent.add(entries(1, 3));
    const { viewer, sent } = view(recent);
    expect(await sent()).toBe(begin('id: 3-0\n'));
    recent.add(entries(4, 5));
    viewer.wake();
    expect(await sent()).toBe(begin('id: 3-0\n') + shown(4, 5));
  });

  it('is sent only what it asked for, and how many were left out of whatever kind', async () => {
    const recent = new RingBuffer();
    const { viewer, sent } = view(recent, { filter: { category: 'c', session_id: 's' } });
    recent.add([entry(1), entry(2, { category: 'd' }), entry(3, { session_id: 't' })]);
    recent.add([{ id: '4-0', fields: { left_out: '17' } }, entry(5, { application: 'other' })]);
    viewer.wake();
    expect(await sent()).toBe(`${BEGIN}${shown(1, 1)}id: 4-0\n${skipped(17)}${shown(5, 5)}`);
  });

  it('goes on where it was cut off', async () => {
    const recent = new RingBuffer();
    recent.add(entries(8, 12));
    expect(await view(recent, { after: '9-0' }).sent()).toBe(BEGIN + shown(10, 12));
    expect(await view(recent, { after: '12-0' }).sent()).toBe(BEGIN);
    // Part by part, not as text.
    expect(await view(recent, { after: '11-10' }).sent()).toBe(BEGIN + shown(12, 12));
  });

  it('goes on from where there was nothing yet', async () => {
    const recent = new RingBuffer();
    recent.add([{ id: '7-0', fields: { left_out: '0' } }]);
    expect(await view(recent).sent()).toBe(begin('id: 7-0\n'));
    recent.add(entries(8, 9));
    expect(await view(recent, { after: '7-0' }).sent()).toBe(BEGIN + shown(8, 9));
    expect(await view(recent, { after: '6-0' }).sent()).toBe(
      `${BEGIN}${skipped(null)}id: 7-0\n\n${shown(8, 9)}`,
    );
  });

  it('is told where it cannot go on', async () => {
    const recent = new RingBuffer();
    expect(await view(recent, { after: '9-0' }).sent()).toBe(BEGIN + skipped(null));
    recent.add(entries(8, 9));
    expect(await view(recent, { after: '7-0' }).sent()).toBe(BEGIN + skipped(null) + shown(8, 9));
    recent.addGap();
    recent.add(entries(20, 20));
    expect(await view(recent, { after: '8-0' }).sent()).toBe(
      BEGIN + shown(9, 9) + skipped(null) + shown(20, 20),
    );
    expect(await view(recent, { after: '9-0' }).sent()).toBe(BEGIN + skipped(null) + shown(20, 20));
    expect(await view(recent, { after: '20-0' }).sent()).toBe(BEGIN);
  });

  it('that reads slowly is told exactly how many went by, and holds no more than a little', async () => {
    const recent = new RingBuffer();
    const { viewer, sent, read } = view(recent, {}, false);
    const large = { event: `"${'x'.repeat(10_000)}"` };
    const total = 5 * MAX_STREAM_EVENTS;
    for (let from = 1; from < total; from += 100) {
      recent.add(entries(from, from + 99, large));
      viewer.wake();
    }
    expect(viewer.readableLength).toBeLessThan(200_000);
    expect(viewer.stalled).toBeGreaterThanOrEqual(0);
    read();
    recent.add([entry(total + 1)]);
    viewer.wake();
    const text = await sent().then(sent);
    const missed = /event: skipped\ndata: \{"count":(\d+)\}/.exec(text)?.[1];
    const events = text.match(/^event: event$/gm)?.length;
    expect(Number(missed)).toBeGreaterThan(3 * MAX_STREAM_EVENTS);
    expect(Number(missed) + (events ?? 0)).toBe(total + 1);
    expect(text.endsWith(shown(total + 1, total + 1))).toBe(true);
    expect(viewer.stalled).toBe(0);
  });

  it('learns with a heartbeat from where to go on, once it has been sent all', async () => {
    const recent = new RingBuffer();
    const { viewer, sent } = view(recent, { filter: { name: 'other' } });
    viewer.beat();
    recent.add(entries(1, 3));
    viewer.wake();
    viewer.beat();
    expect(await sent()).toBe(`${BEGIN}: alive\n\n: alive\nid: 3-0\n\n`);
  });

  it('ends in order, and is sent nothing more', async () => {
    const recent = new RingBuffer();
    const { viewer, sent } = view(recent);
    const end = once(viewer, 'end');
    viewer.finish();
    recent.add(entries(1, 1));
    viewer.wake();
    viewer.beat();
    await end;
    expect(await sent()).toBe(BEGIN);
  });
});

describe('recent events', () => {
  it('are bounded in number and in bytes', () => {
    const recent = new RingBuffer();
    recent.add(entries(1, MAX_STREAM_EVENTS + 5));
    expect([recent.start, recent.end]).toEqual([5, MAX_STREAM_EVENTS + 5]);
    recent.add(entries(2000, 2019, { event: 'x'.repeat(1024 * 1024) }));
    expect(recent.end - recent.start).toBeLessThan(17);
    expect(recent.at(recent.start).id).toBe('2005-0');
    expect(recent.place).toBe('2019-0');
  });
});
