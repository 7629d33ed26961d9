import { arrays, type Workload, ndjson, singles } from '../support/load.js';

export const KINDS = {
  fastify: 'bare Fastify, no work',
  nest: 'Nest with The Eye’s validation, no work',
  eye: 'The Eye',
  guarded: 'The Eye, with key, schema and rate limit',
} as const;

export type Kind = keyof typeof KINDS;

/** Who answers what. */
export interface Contender {
  kind: Kind;
  load: Workload;
  /** Where so many requests are measured instead of so many seconds. */
  requests?: number;
}

const CONNECTION_COUNTS = [1, 16, 64, 256];
const ARRAY_SIZES = [10, 100, 500, 5000];

/** @param quick leaves the import to the measurement of memory, which makes one as well */
export function contenders(quick: boolean): Contender[] {
  const connections = quick ? [64] : CONNECTION_COUNTS;
  const sizes = quick ? [500] : ARRAY_SIZES;
  const kinds = ['fastify', 'nest', 'eye'] as const;
  return [
    ...connections.flatMap((count) => kinds.map((kind) => ({ kind, load: singles(count) }))),
    { kind: 'guarded', load: singles(64) },
    ...sizes.flatMap((size) => (['nest', 'eye'] as const).map((kind) => ({ kind, load: arrays(size) }))),
    ...(quick ? [] : (['nest', 'eye'] as const).map((kind) => ({ kind, load: ndjson(), requests: 200 }))),
  ];
}
