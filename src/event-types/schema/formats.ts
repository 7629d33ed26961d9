import type { FormatName } from 'ajv-formats';
import { fastFormats } from 'ajv-formats/dist/formats.js';
import type { Format } from 'ajv';

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

/** How each format is checked: the shape of a date, not whether the day exists. */
export const formats: Readonly<Record<string, Format>> = Object.fromEntries(
  FORMATS.map((name) => [name, fastFormats[name as FormatName]]),
);

/** Whether a text has the format, by the same check as in a schema. */
export function hasFormat(format: FormatName, text: string): boolean {
  const definition = formats[format] as RegExp | { validate: RegExp };
  return (definition instanceof RegExp ? definition : definition.validate).test(text);
}
