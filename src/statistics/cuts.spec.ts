import { ALWAYS, cutAt, Readings } from './cuts.js';

const EVER = { block: 'ever', start: '-infinity' };
const canonical = (minute: string): string => `${minute}:00.000000Z`;

describe('cuts', () => {
  it('ask for what lies before an instant, from months down to minutes', () => {
    expect(cutAt(canonical('2026-07-08T09:10'))).toEqual({
      minute: canonical('2026-07-08T09:10'),
      sums: [
        { ...EVER, until: '2026-07-01T00:00Z' },
        { block: 'month', start: '2026-07-01T00:00Z', until: '2026-07-08T00:00Z' },
        { block: 'day', start: '2026-07-08T00:00Z', until: '2026-07-08T09:00Z' },
        { block: 'hour', start: '2026-07-08T09:00Z', until: '2026-07-08T09:10Z' },
      ],
    });
  });

  it('ask for the half hours of a day, and nothing of the hour', () => {
    for (const instant of [canonical('2026-07-08T09:30'), '2026-07-08T09:29:01.000000Z'])
      expect(cutAt(instant).sums.slice(2)).toEqual([
        { block: 'day', start: '2026-07-08T00:00Z', until: '2026-07-08T09:30Z' },
      ]);
    expect(cutAt(canonical('2026-07-08T00:30')).sums.slice(2)).toEqual([
      { block: 'day', start: '2026-07-08T00:00Z', until: '2026-07-08T00:30Z' },
    ]);
    expect(cutAt(canonical('2026-07-08T09:31')).sums.slice(2)).toEqual([
      { block: 'day', start: '2026-07-08T00:00Z', until: '2026-07-08T09:00Z' },
      { block: 'hour', start: '2026-07-08T09:00Z', until: '2026-07-08T09:31Z' },
    ]);
  });

  it('ask for nothing where a block begins', () => {
    expect(cutAt(canonical('2026-07-01T00:00')).sums).toEqual([{ ...EVER, until: '2026-07-01T00:00Z' }]);
  });

  it('leave to the events what lies between an instant and a minute near it', () => {
    for (const instant of ['2026-07-07T23:59:01.000000Z', '2026-07-07T23:59:59.999999Z'])
      expect(cutAt(instant)).toEqual({
        ...cutAt(canonical('2026-07-08T00:00')),
        edge: { start: instant, until: canonical('2026-07-08T00:00'), sign: -1 },
      });
    const last = '9999-12-31T23:59:01.000000Z';
    expect(cutAt(last)).toEqual({ ...cutAt(ALWAYS.to), edge: { start: last, until: ALWAYS.to, sign: -1 } });
    for (const instant of ['2026-07-08T00:00:00.000001Z', '2026-07-08T00:00:00.999999Z'])
      expect(cutAt(instant)).toEqual({
        ...cutAt(canonical('2026-07-08T00:00')),
        edge: { start: canonical('2026-07-08T00:00'), until: instant, sign: 1 },
      });
  });

  it('need no sum before all time, and one after it', () => {
    expect(cutAt(ALWAYS.from)).toEqual({ sums: [], minute: ALWAYS.from });
    expect(cutAt(ALWAYS.to)).toEqual({ sums: [{ ...EVER, until: ALWAYS.to }], minute: ALWAYS.to });
  });
});

describe('readings', () => {
  const instants = [
    '2026-07-08T00:00',
    '2026-07-08T01:00',
    '2026-07-08T02:15',
    '2026-07-08T02:30',
    '2026-07-08T02:31',
    '2026-07-08T03:30',
    '2026-07-08T03:45',
    '2026-08-01T00:00',
    '2026-08-01T00:01',
  ].map(canonical);

  it('read each row once, and each sum of it once', () => {
    const { rows, size } = new Readings(instants);
    expect(rows.map(({ block, start, untils }) => ({ block, start, untils }))).toEqual([
      { ...EVER, untils: ['2026-07-01T00:00Z', '2026-08-01T00:00Z'] },
      { block: 'month', start: '2026-07-01T00:00Z', untils: ['2026-07-08T00:00Z'] },
      {
        block: 'day',
        start: '2026-07-08T00:00Z',
        untils: ['01:00', '02:00', '02:30', '03:30', '03:00'].map((time) => `2026-07-08T${time}Z`),
      },
      { block: 'hour', start: '2026-07-08T02:00Z', untils: ['2026-07-08T02:15Z', '2026-07-08T02:31Z'] },
      { block: 'hour', start: '2026-07-08T03:00Z', untils: ['2026-07-08T03:45Z'] },
      { block: 'hour', start: '2026-08-01T00:00Z', untils: ['2026-08-01T00:01Z'] },
    ]);
    expect(rows.flatMap(({ places }) => places).sort((a, b) => a - b)).toEqual(
      Array.from({ length: size - 1 }, (_, index) => index + 1),
    );
  });

  it('add up to what lies before each instant', () => {
    const readings = new Readings(instants);
    const sums = new Float64Array(readings.size);
    const worth = (until: string, block: string): number =>
      until.length + block.length + Number(until.replaceAll(/\D/g, ''));
    for (const { block, untils, places } of readings.rows)
      for (const [index, place] of places.entries()) sums[place] = worth(untils[index] ?? '', block);
    expect(instants.map((_, index) => readings.before(index, sums))).toEqual(
      instants.map((instant) =>
        cutAt(instant).sums.reduce((all, { until, block }) => all + worth(until, block), 0),
      ),
    );
  });
});
