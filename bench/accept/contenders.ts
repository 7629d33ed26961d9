import {
  arrays,
  ndjson,
  paced,
  segmentBatches,
  singles,
  translatedArrays,
  type Workload,
} from '../support/load.js';

export const KINDS = {
  fastify: 'bare Fastify, no work',
  nest: 'Nest with The Eye’s validation, no work',
  append: 'bare Fastify, one fsynced append to Redis',
  insert: 'Fastify and `pg`, one `INSERT` a request',
  eye: 'The Eye',
  guarded: 'The Eye, with key, schema and rate limit',
  segment: 'The Eye, a batch of Segment’s messages',
  translated: 'The Eye, the events that these become',
} as const;

export type Kind = keyof typeof KINDS;

/** A server under a workload. */
export interface Contender {
  kind: Kind;
  load: Workload;
  /** Measures this number of requests instead of a fixed duration. */
  requests?: number;
}

/** The contenders for single events, by the number of connections. */
const SINGLES: Readonly<Record<number, readonly Kind[]>> = {
  1: ['fastify', 'nest', 'append', 'insert', 'eye'],
  16: ['fastify', 'nest', 'insert', 'eye'],
  64: ['fastify', 'nest', 'append', 'insert', 'eye', 'guarded'],
  256: ['fastify', 'nest', 'eye'],
};

/** The contenders for arrays, by the number of events. */
const ARRAYS: Readonly<Record<number, readonly Kind[]>> = {
  10: ['nest', 'eye'],
  100: ['nest', 'append', 'insert', 'eye'],
  500: ['nest', 'append', 'eye'],
  5000: ['nest', 'eye'],
};

/** A dialect beside what its messages cost as events. */
const SEGMENT: readonly Contender[] = [
  { kind: 'segment', load: segmentBatches(100) },
  { kind: 'translated', load: translatedArrays(100) },
];

/** @param quick only what the most important ratios need */
export function contenders(quick: boolean): Contender[] {
  if (quick)
    return [
      ...each(['nest', 'append', 'insert', 'eye'], singles(1)),
      ...each(['nest', 'append', 'insert', 'eye', 'guarded'], singles(64)),
      ...each(['nest', 'append', 'insert', 'eye'], arrays(100)),
      ...SEGMENT,
      ...each(['insert', 'eye'], paced()),
    ];
  return [
    ...Object.entries(SINGLES).flatMap(([connections, kinds]) => each(kinds, singles(Number(connections)))),
    ...Object.entries(ARRAYS).flatMap(([events, kinds]) => each(kinds, arrays(Number(events)))),
    ...SEGMENT,
    ...each(['nest', 'eye'], ndjson(), 200),
    ...each(['append', 'insert', 'eye'], paced()),
  ];
}

const each = (kinds: readonly Kind[], load: Workload, requests?: number): Contender[] =>
  kinds.map((kind) => ({ kind, load, ...(requests !== undefined && { requests }) }));
