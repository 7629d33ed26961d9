/** One event in structured mode. */
export const EVENT_TYPE = 'application/cloudevents+json';

/** An array of events. */
export const BATCH_TYPE = 'application/cloudevents-batch+json';

/** Content types of JSON: `application/json`, and those with the suffix `+json`. */
export const JSON_SUBTYPE = /^[^;]+[/+]json\s*(;|$)/i;

/** A content type without its parameters, in lower case. */
export const essenceOf = (type: string): string => (type.split(';', 1)[0] as string).trim().toLowerCase();
