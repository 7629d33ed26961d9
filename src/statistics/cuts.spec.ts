import { ALWAYS, cutsAt } from './cuts.js';

const EVER = { block: 'ever', start: '-infinity' };

describe('cuts', () => {
  it('look up what lies before either end, from months down to minutes', () => {
    const { probes, edges, slots } = cutsAt(
      ['2025-03-04T05:06:00.000000Z', '2026-07-08T09:10:00.000000Z'],
      'minute',
    );
    expect(probes).toEqual([
      { interval: 0, sign: 1, ...EVER, until: '2026-07-01T00:00:00.000000Z' },
      {
        interval: 0,
        sign: 1,
        block: 'month',
        start: '2026-07-01T00:00:00.000000Z',
        until: '2026-07-08T00:00:00.000000Z',
      },
      {
        interval: 0,
        sign: 1,
        block: 'day',
        start: '2026-07-08T00:00:00.000000Z',
        until: '2026-07-08T09:00:00.000000Z',
      },
      {
        interval: 0,
        sign: 1,
        block: 'hour',
        start: '2026-07-08T09:00:00.000000Z',
        until: '2026-07-08T09:10:00.000000Z',
      },
      { interval: 0, sign: -1, ...EVER, until: '2025-03-01T00:00:00.000000Z' },
      {
        interval: 0,
        sign: -1,
        block: 'month',
        start: '2025-03-01T00:00:00.000000Z',
        until: '2025-03-04T00:00:00.000000Z',
      },
      {
        interval: 0,
        sign: -1,
        block: 'day',
        start: '2025-03-04T00:00:00.000000Z',
        until: '2025-03-04T05:00:00.000000Z',
      },
      {
        interval: 0,
        sign: -1,
        block: 'hour',
        start: '2025-03-04T05:00:00.000000Z',
        until: '2025-03-04T05:06:00.000000Z',
      },
    ]);
    expect(edges).toEqual([]);
    expect(slots).toEqual(['2025-03-04T05:06:00.000000Z', '2026-07-08T09:10:00.000000Z']);
  });

  it('look up nothing that both ends have in common, and nothing where a block begins', () => {
    const { probes } = cutsAt(
      ['2026-07-08T00:00:00.000000Z', '2026-07-09T00:00:00.000000Z', '2026-08-01T00:00:00.000000Z'],
      'minute',
    );
    const july = { block: 'month', start: '2026-07-01T00:00:00.000000Z' };
    expect(probes).toEqual([
      { interval: 0, sign: 1, ...july, until: '2026-07-09T00:00:00.000000Z' },
      { interval: 0, sign: -1, ...july, until: '2026-07-08T00:00:00.000000Z' },
      { interval: 1, sign: 1, ...EVER, until: '2026-08-01T00:00:00.000000Z' },
      { interval: 1, sign: -1, ...EVER, until: '2026-07-01T00:00:00.000000Z' },
      { interval: 1, sign: -1, ...july, until: '2026-07-09T00:00:00.000000Z' },
    ]);
  });

  it('leave to the events what lies within a minute', () => {
    const { edges, probes, slots } = cutsAt(
      ['2026-07-08T09:10:00.000001Z', '2026-07-08T09:10:59.999999Z'],
      'minute',
    );
    const minute = '2026-07-08T09:10:00.000000Z';
    expect(probes).toEqual([]);
    expect(slots).toEqual([minute, minute]);
    expect(edges).toEqual([
      { interval: 0, sign: 1, start: minute, until: '2026-07-08T09:10:59.999999Z' },
      { interval: 0, sign: -1, start: minute, until: '2026-07-08T09:10:00.000001Z' },
    ]);
  });

  it('end with a quarter of an hour where no minutes are kept', () => {
    const { edges, probes, slots } = cutsAt(
      ['2026-07-08T00:00:00.000000Z', '2026-07-08T09:44:00.000000Z'],
      'quarter',
    );
    const start = '2026-07-08T00:00:00.000000Z';
    const quarter = '2026-07-08T09:30:00.000000Z';
    expect(probes).toEqual([{ interval: 0, sign: 1, block: 'day', start, until: quarter }]);
    expect(slots).toEqual([start, quarter]);
    expect(edges).toEqual([{ interval: 0, sign: 1, start: quarter, until: '2026-07-08T09:44:00.000000Z' }]);
  });

  it('need one look-up for all time', () => {
    const { probes, edges } = cutsAt([ALWAYS.from, ALWAYS.to], 'quarter');
    expect(probes).toEqual([{ interval: 0, sign: 1, ...EVER, until: 'infinity' }]);
    expect(edges).toEqual([]);
  });
});
