import type { ItemResult } from '../ingestion.js';

/** What became of an event. PostHog also has `warning` and `retry`: a request whose events could be stored later gets a 503. */
interface V1Result {
  readonly result: 'ok' | 'drop';
  /** Why it was dropped. */
  readonly details?: string;
}

export interface V1Results {
  /** By the `uuid` of the event. */
  readonly results: Readonly<Record<string, V1Result>>;
}

/** Events without an id cannot be reported. */
export function resultsOf(items: readonly ItemResult[]): V1Results {
  const results = items.flatMap(({ id, violation }): [string, V1Result][] => {
    if (id === undefined) return [];
    return [[id, violation ? { result: 'drop', details: detailsOf(violation.errors) } : { result: 'ok' }]];
  });
  return { results: Object.fromEntries(results) };
}

/** Characters of a reason, so that the response to thousands of bad events stays small. */
const MAX_DETAILS_LENGTH = 200;

const detailsOf = (errors: Readonly<Record<string, readonly string[]>>): string =>
  Object.entries(errors)
    .map(([field, messages]) => `${field}: ${messages.join(' ')}`)
    .join('; ')
    .slice(0, MAX_DETAILS_LENGTH)
    .toWellFormed();
