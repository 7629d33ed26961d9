/** `+json` types whose structure is defined elsewhere: what they contain is not an event. */
const OTHER_FORMATS =
  'cloudevents|cloudevents-batch|problem|json-patch|merge-patch|ld|geo|hal|activity|senml|vnd\\.api';

/** The content types of a JSON body: a text in lower case with its parameters. */
export const JSON_TYPE = new RegExp(`^application/(?:json|(?!(?:${OTHER_FORMATS})\\+)[^;+]+\\+json)(?:;|$)`);

/** JSON_TYPE as media ranges, for the documentation and the headers. */
export const JSON_MEDIA_TYPES = ['application/json', 'application/*+json'];

/** The content type of a response in JSON. */
export const JSON_CONTENT_TYPE = 'application/json; charset=utf-8';

/** The content types of a body of one JSON text a line. */
export const NDJSON_MEDIA_TYPES = [
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/x-jsonlines',
];

/** The content types of events. All other bodies are JSON. */
export const EVENT_MEDIA_TYPES = [...JSON_MEDIA_TYPES, ...NDJSON_MEDIA_TYPES];
