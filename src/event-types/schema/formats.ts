import ajvFormats, { type FormatName } from 'ajv-formats';

/**
 * The formats of draft 2020-12 whose checks take time linear in the text; a spec tries each on long adversarial texts.
 * Not supported are `regex`, which would compile a pattern of an event, `uri-template`, the `iri` and `idn` formats, which
 * ajv-formats lacks, and the formats that only ajv-formats has.
 */
export const FORMATS: readonly string[] = [
  'date',
  'time',
  'date-time',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uri',
  'uri-reference',
  'uuid',
  'json-pointer',
  'relative-json-pointer',
] satisfies FormatName[];

/** `fast` checks the shape of a date, not whether the day exists. */
export const FORMAT_OPTIONS = {
  mode: 'fast',
  formats: [...FORMATS] as FormatName[],
  keywords: false,
} as const;

/** Whether a text has the format, by the same check as in a schema. */
export function hasFormat(format: FormatName, text: string): boolean {
  const definition = addFormats.get(format, 'fast') as RegExp | { validate: RegExp };
  return (definition instanceof RegExp ? definition : definition.validate).test(text);
}

/** ajv-formats is a CommonJS module whose types describe an ES module; at run time the import is the function itself. */
export const addFormats = ajvFormats as unknown as typeof ajvFormats.default;
