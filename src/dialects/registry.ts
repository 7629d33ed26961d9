import type { Dialect } from './dialect.js';
import { CLOUDEVENTS } from './cloudevents/cloudevents.dialect.js';
import { OPENTELEMETRY } from './opentelemetry/opentelemetry.dialect.js';
import { POSTHOG } from './posthog/posthog.dialect.js';
import { SEGMENT } from './segment/segment.dialect.js';
import { SNOWPLOW } from './snowplow/snowplow.dialect.js';

/** All dialects, in the order of docs/send. */
export const DIALECTS: readonly Dialect[] = [SEGMENT, OPENTELEMETRY, POSTHOG, CLOUDEVENTS, SNOWPLOW];

/** @returns undefined for a dialect that this version does not have any more */
export const dialectOf = (name: string): Dialect | undefined => DIALECTS.find((each) => each.name === name);
