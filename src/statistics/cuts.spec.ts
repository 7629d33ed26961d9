import { ALWAYS, cutsAt } from './cuts.js';

const EVER = { block: 'ever', start: '-infinity' };

describe('cuts', () => {
  it('look up what lies before either end, from months down to minutes', () => {
    const { probes, edges, minutes } = cutsAt(['2025-03-04T05:06:00.000000Z', '2026-07-08T09:10:00.000000Z']);
    expect(probes).toEqual([
      { interval: 0, sign: 1, ...EVER, end: '2026-07-01T00:00:00.000000Z' },
      {
        interval: 0,
        sign: 1,
        block: 'month',
        start: '2026-07-01T00:00:00.000000Z',
        end: '2026-07-08T00:00:00.000000Z',
      },
      {
        interval: 0,
        sign: 1,
        block: 'day',
        start: '2026-07-08T00:00:00.000000Z',
        end: '2026-07-08T09:00:00.000000Z',
      },
      {
        interval: 0,
        sign: 1,
        block: 'hour',
        start: '2026-07-08T09:00:00.000000Z',
        end: '2026-07-08T09:10:00.000000Z',
      },
      { interval: 0, sign: -1, ...EVER, end: '2025-03-01T00:00:00.000000Z' },
      {
        interval: 0,
        sign: -1,
        block: 'month',
        start: '2025-03-01T00:00:00.000000Z',
        end: '2025-03-04T00:00:00.000000Z',
      },
      {
        interval: 0,
        sign: -1,
        block: 'day',
        start: '2025-03-04T00:00:00.000000Z',
        end: '2025-03-04T05:00:00.000000Z',
      },
      {
        interval: 0,
        sign: -1,
        block: 'hour',
        start: '2025-03-04T05:00:00.000000Z',
        end: '2025-03-04T05:06:00.000000Z',
      },
    ]);
    expect(edges).toEqual([]);
    expect(minutes).toEqual(['2025-03-04T05:06:00.000000Z', '2026-07-08T09:10:00.000000Z']);
  });

  it('look up nothing that both ends have in common, and nothing where a block begins', () => {
    const { probes } = cutsAt([
      '2026-07-08T00:00:00.000000Z',
      '2026-07-09T00:00:00.000000Z',
      '2026-08-01T00:00:00.000000Z',
    ]);
    const july = { block: 'month', start: '2026-07-01T00:00:00.000000Z' };
    expect(probes).toEqual([
      { interval: 0, sign: 1, ...july, end: '2026-07-09T00:00:00.000000Z' },
      { interval: 0, sign: -1, ...july, end: '2026-07-08T00:00:00.000000Z' },
      { interval: 1, sign: 1, ...EVER, end: '2026-08-01T00:00:00.000000Z' },
      { interval: 1, sign: -1, ...EVER, end: '2026-07-01T00:00:00.000000Z' },
      { interval: 1, sign: -1, ...july, end: '2026-07-09T00:00:00.000000Z' },
    ]);
  });

  it('leave to the events what lies within a minute', () => {
    const { edges, probes, minutes } = cutsAt(['2026-07-08T09:10:00.000001Z', '2026-07-08T09:10:59.999999Z']);
    const minute = '2026-07-08T09:10:00.000000Z';
    expect(probes).toEqual([]);
    expect(minutes).toEqual([minute, minute]);
    expect(edges).toEqual([
      { interval: 0, sign: 1, minute, end: '2026-07-08T09:10:59.999999Z' },
      { interval: 0, sign: -1, minute, end: '2026-07-08T09:10:00.000001Z' },
    ]);
  });

  it('need one look-up for all time', () => {
    const { probes, edges } = cutsAt([ALWAYS.from, ALWAYS.to]);
    expect(probes).toEqual([{ interval: 0, sign: 1, ...EVER, end: 'infinity' }]);
    expect(edges).toEqual([]);
  });
});
