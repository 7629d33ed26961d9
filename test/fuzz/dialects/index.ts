import type { Operation } from '../document.js';
import type { DialectFuzzer } from './dialect-fuzzer.js';
import { CLOUDEVENTS } from './cloudevents.js';
import { OPENTELEMETRY } from './opentelemetry.js';
import { POSTHOG } from './posthog.js';
import { SEGMENT } from './segment.js';
import { SNOWPLOW } from './snowplow.js';

/** One line a dialect. An operation of a dialect that is missing here is not sent at all. */
export const DIALECT_FUZZERS: readonly DialectFuzzer[] = [
  SEGMENT,
  OPENTELEMETRY,
  POSTHOG,
  CLOUDEVENTS,
  SNOWPLOW,
];

/** The tag of the operations of dialects. */
const TAG = /^send: (.+)$/;

/** @returns undefined for an operation of The Eye's own API */
export function dialectNameOf({ tags }: Operation): string | undefined {
  return tags.map((tag) => TAG.exec(tag)?.[1]).find((name) => name !== undefined);
}

/** @returns undefined for an operation of The Eye's own API, and for that of a dialect without a fuzzer */
export function fuzzerOf(operation: Operation): DialectFuzzer | undefined {
  const name = dialectNameOf(operation);
  return DIALECT_FUZZERS.find((each) => each.name === name);
}
