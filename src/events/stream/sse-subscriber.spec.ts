import { once } from 'node:events';
import { yieldToEventLoop } from '../../platform/async/yield-to-event-loop.js';
import { MAX_STREAM_EVENTS, type StreamEntry } from './redis-stream.js';
import { RingBuffer } from './ring-buffer.js';
import { SseSubscriber, type Subscription } from './sse-subscriber.js';

const opening = (cursor = ''): string => `: watching\nretry: 2000\n${cursor}\n`;
const OPENING = opening();

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
const messages = (from: number, to: number): string =>
  entries(from, to)
    .map(({ id, fields }) => `id: ${id}\nevent: event\ndata: ${fields['event']}\n\n`)
    .join('');
const skipped = (count: number | null): string => `event: skipped\ndata: {"count":${count}}\n\n`;

/** A subscriber, and what it has received so far; with `reads: false` it reads nothing until `read` is called. */
function subscribe(buffer: RingBuffer, subscription: Partial<Subscription> = {}, reads = true) {
  const subscriber = new SseSubscriber(buffer, {
    filter: {},
    isAuthorized: () => Promise.resolve(true),
    ...subscription,
  });
  let text = '';
  const read = (): void => void subscriber.on('data', (bytes: Buffer) => (text += bytes.toString()));
  if (reads) read();
  const received = async (): Promise<string> => {
    await yieldToEventLoop();
    await yieldToEventLoop();
    return text;
  };
  return { subscriber, received, read };
}

describe('SseSubscriber', () => {
  it('sends new messages in their order, and none from before it subscribed', async () => {
    const buffer = new RingBuffer();
    buffer.add(entries(1, 3));
    const { subscriber, received } = subscribe(buffer);
    expect(await received()).toBe(opening('id: 3-0\n'));
    buffer.add(entries(4, 5));
    subscriber.flush();
    expect(await received()).toBe(opening('id: 3-0\n') + messages(4, 5));
  });

  it('sends only events that match its filter, and every number of events left out', async () => {
    const buffer = new RingBuffer();
    const { subscriber, received } = subscribe(buffer, { filter: { category: 'c', session_id: 's' } });
    buffer.add([entry(1), entry(2, { category: 'd' }), entry(3, { session_id: 't' })]);
    buffer.add([{ id: '4-0', fields: { left_out: '17' } }, entry(5, { application: 'other' })]);
    subscriber.flush();
    expect(await received()).toBe(`${OPENING}${messages(1, 1)}id: 4-0\n${skipped(17)}${messages(5, 5)}`);
  });

  it('resumes after the last event id, which is compared number by number', async () => {
    const buffer = new RingBuffer();
    buffer.add(entries(8, 12));
    expect(await subscribe(buffer, { lastEventId: '9-0' }).received()).toBe(OPENING + messages(10, 12));
    expect(await subscribe(buffer, { lastEventId: '12-0' }).received()).toBe(OPENING);
    expect(await subscribe(buffer, { lastEventId: '11-10' }).received()).toBe(OPENING + messages(12, 12));
  });

  it('resumes from the empty entry at the beginning of the stream', async () => {
    const buffer = new RingBuffer();
    buffer.add([{ id: '7-0', fields: { left_out: '0' } }]);
    expect(await subscribe(buffer).received()).toBe(opening('id: 7-0\n'));
    buffer.add(entries(8, 9));
    expect(await subscribe(buffer, { lastEventId: '7-0' }).received()).toBe(OPENING + messages(8, 9));
    expect(await subscribe(buffer, { lastEventId: '6-0' }).received()).toBe(
      `${OPENING}${skipped(null)}id: 7-0\n\n${messages(8, 9)}`,
    );
  });

  it('sends skipped: null when events after the last event id are missing', async () => {
    const buffer = new RingBuffer();
    expect(await subscribe(buffer, { lastEventId: '9-0' }).received()).toBe(OPENING + skipped(null));
    buffer.add(entries(8, 9));
    expect(await subscribe(buffer, { lastEventId: '7-0' }).received()).toBe(
      OPENING + skipped(null) + messages(8, 9),
    );
    buffer.addGap();
    buffer.add(entries(20, 20));
    expect(await subscribe(buffer, { lastEventId: '8-0' }).received()).toBe(
      OPENING + messages(9, 9) + skipped(null) + messages(20, 20),
    );
    expect(await subscribe(buffer, { lastEventId: '9-0' }).received()).toBe(
      OPENING + skipped(null) + messages(20, 20),
    );
    expect(await subscribe(buffer, { lastEventId: '20-0' }).received()).toBe(OPENING);
  });

  it('buffers little for a slow reader, and sends it the exact number of messages it missed', async () => {
    const buffer = new RingBuffer();
    const { subscriber, received, read } = subscribe(buffer, {}, false);
    const large = { event: `"${'x'.repeat(10_000)}"` };
    const total = 5 * MAX_STREAM_EVENTS;
    for (let from = 1; from < total; from += 100) {
      buffer.add(entries(from, from + 99, large));
      subscriber.flush();
    }
    expect(subscriber.readableLength).toBeLessThan(200_000);
    expect(subscriber.stalledMs).toBeGreaterThanOrEqual(0);
    read();
    buffer.add([entry(total + 1)]);
    subscriber.flush();
    const text = await received().then(received);
    const missed = /event: skipped\ndata: \{"count":(\d+)\}/.exec(text)?.[1];
    const events = text.match(/^event: event$/gm)?.length;
    expect(Number(missed)).toBeGreaterThan(3 * MAX_STREAM_EVENTS);
    expect(Number(missed) + (events ?? 0)).toBe(total + 1);
    expect(text.endsWith(messages(total + 1, total + 1))).toBe(true);
    expect(subscriber.stalledMs).toBe(0);
  });

  it('sends the last id with a heartbeat, also of events that its filter excludes', async () => {
    const buffer = new RingBuffer();
    const { subscriber, received } = subscribe(buffer, { filter: { name: 'other' } });
    subscriber.sendHeartbeat();
    buffer.add(entries(1, 3));
    subscriber.flush();
    subscriber.sendHeartbeat();
    expect(await received()).toBe(`${OPENING}: alive\n\n: alive\nid: 3-0\n\n`);
  });

  it('sends nothing after its end', async () => {
    const buffer = new RingBuffer();
    const { subscriber, received } = subscribe(buffer);
    const end = once(subscriber, 'end');
    subscriber.end();
    buffer.add(entries(1, 1));
    subscriber.flush();
    subscriber.sendHeartbeat();
    await end;
    expect(await received()).toBe(OPENING);
  });
});

describe('RingBuffer', () => {
  it('is bounded in messages and in bytes', () => {
    const buffer = new RingBuffer();
    buffer.add(entries(1, MAX_STREAM_EVENTS + 5));
    expect([buffer.start, buffer.end]).toEqual([5, MAX_STREAM_EVENTS + 5]);
    buffer.add(entries(2000, 2019, { event: 'x'.repeat(1024 * 1024) }));
    expect(buffer.end - buffer.start).toBeLessThan(17);
    expect(buffer.at(buffer.start).id).toBe('2005-0');
    expect(buffer.lastId).toBe('2019-0');
  });
});
