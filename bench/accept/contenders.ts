import { arrays, type Workload, ndjson, singles } from '../support/load.js';

export const KINDS = {
  fastify: 'bare Fastify, no work',
  nest: 'Nest with The Eye’s validation, no work',
  eye: 'The Eye',
  guarded: 'The Eye, with key, schema and rate limit',
} as const;

export type Kind = keyof typeof KINDS;

/** A server under a workload. */
export interface Contender {
  kind: Kind;
  load: Workload;
  /** Measures this number of requests instead of a fixed duration. */
  requests?: number;
}

const CONNECTION_COUNTS = [1, 16, 64, 256];
const ARRAY_SIZES = [10, 100, 500, 5000];

/** @param quick skips the import, which the memory measurement performs as well */
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
