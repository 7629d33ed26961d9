import { ALWAYS, cutAt, Readings } from './cuts.js';

const EVER = { block: 'ever', start: '-infinity' };

describe('cuts', () => {
  it('ask for what lies before an instant, from months down to minutes', () => {
    expect(cutAt('2026-07-08T09:10:00.000000Z')).toEqual({
      minute: '2026-07-08T09:10:00.000000Z',
      sums: [
        { ...EVER, until: '2026-07-01T00:00:00.000000Z' },
        { block: 'month', start: '2026-07-01T00:00:00.000000Z', until: '2026-07-08T00:00:00.000000Z' },
        { block: 'day', start: '2026-07-08T00:00:00.000000Z', until: '2026-07-08T09:00:00.000000Z' },
        { block: 'hour', start: '2026-07-08T09:00:00.000000Z', until: '2026-07-08T09:10:00.000000Z' },
      ],
    });
  });

  it('ask for nothing where a block begins', () => {
    expect(cutAt('2026-07-01T00:00:00.000000Z').sums).toEqual([
      { ...EVER, until: '2026-07-01T00:00:00.000000Z' },
    ]);
  });

  it('leave to the events what lies within a minute', () => {
    const minute = '2026-07-08T00:00:00.000000Z';
    const instant = '2026-07-08T00:00:00.000001Z';
    expect(cutAt(instant)).toEqual({
      ...cutAt(minute),
      minute,
      edge: { start: minute, until: instant },
    });
  });

  it('need no sum before all time, and one after it', () => {
    expect(cutAt(ALWAYS.from)).toEqual({ sums: [], minute: ALWAYS.from });
    expect(cutAt(ALWAYS.to)).toEqual({ sums: [{ ...EVER, until: ALWAYS.to }], minute: ALWAYS.to });
  });
});

describe('readings', () => {
  it('read each row once, and each sum of it once', () => {
    const readings = new Readings();
    const instants = ['2026-07-08T00:00', '2026-07-08T01:00', '2026-07-08T02:30', '2026-08-01T00:00'];
    const places = instants.map((instant) =>
      cutAt(`${instant}:00.000000Z`).sums.map((sum) => readings.add(sum)),
    );
    const at = (text: string): string => `${text}:00.000000Z`;
    expect(readings.rows).toEqual([
      { ...EVER, untils: [at('2026-07-01T00:00'), at('2026-08-01T00:00')] },
      { block: 'month', start: at('2026-07-01T00:00'), untils: [at('2026-07-08T00:00')] },
      {
        block: 'day',
        start: at('2026-07-08T00:00'),
        untils: [at('2026-07-08T01:00'), at('2026-07-08T02:00')],
      },
      { block: 'hour', start: at('2026-07-08T02:00'), untils: [at('2026-07-08T02:30')] },
    ]);
    expect(places).toEqual([
      [
        [0, 0],
        [1, 0],
      ],
      [
        [0, 0],
        [1, 0],
        [2, 0],
      ],
      [
        [0, 0],
        [1, 0],
        [2, 1],
        [3, 0],
      ],
      [[0, 1]],
    ]);
  });
});
