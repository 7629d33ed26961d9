import ajvFormats, { type FormatName } from 'ajv-formats';

/**
 * The formats of draft 2020-12 whose checks take time that grows with the text and not faster (a spec tries them on
 * long texts made for the purpose). Left out are `regex`, which compiles whatever an event brings, `uri-template`, the
 * `iri` and `idn` kinds, which ajv-formats does not have, and those that only ajv-formats has.
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

/** `fast` checks the shape of a date, not whether it is in the calendar. */
export const FORMAT_OPTIONS = {
  mode: 'fast',
  formats: [...FORMATS] as FormatName[],
  keywords: false,
} as const;

/** True where a text has the format, just as a schema with it would say. */
export function hasFormat(format: FormatName, text: string): boolean {
  const definition = addFormats.get(format, 'fast') as RegExp | { validate: RegExp };
  return (definition instanceof RegExp ? definition : definition.validate).test(text);
}

/** Typed as an ES module, it is the whole of a CommonJS one. */
export const addFormats = ajvFormats as unknown as typeof ajvFormats.default;
