import { isUtf8 } from 'node:buffer';
import { parseEventText, type Violation } from '../../events/event-reader.js';
import { isJsonObject } from '../../platform/json/json-object.js';
import { stringOf } from '../values.js';

/** A JSON object that was packed into a text. */
export interface Unpacked {
  /** The member that held the text. */
  readonly from: string;
  /** The member in which the object is stored, however it was packed. */
  readonly name: string;
  readonly value: Record<string, unknown>;
}

export const isViolation = (value: object | undefined): value is Violation =>
  value !== undefined && 'errors' in value;

/** base64url as trackers write it, or base64, with or without padding. */
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/**
 * Unpacks the JSON object of an item.
 * @param plain the member that holds it as a text
 * @param encoded the member that holds it as base64url of the text, which counts if there is no other
 * @returns undefined if the item has neither
 */
export function unpack(
  item: Readonly<Record<string, unknown>>,
  plain: string,
  encoded: string,
): Unpacked | Violation | undefined {
  const text = stringOf(item[plain]);
  if (text !== undefined) return parse(text, plain, plain);
  const base64 = stringOf(item[encoded]);
  if (base64 === undefined) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  if (!BASE64.test(base64)) return violation('wrong_type', encoded, 'Must be base64url.');
  if (!isUtf8(bytes)) return violation('wrong_type', encoded, 'Must be base64url of valid UTF-8.');
  return parse(bytes.toString(), encoded, plain);
}

/** Parses a text within the same bounds as an event, because no other check looks into texts. */
function parse(text: string, from: string, name: string): Unpacked | Violation {
  const parsed = parseEventText(text);
  if ('outcome' in parsed)
    return {
      // The item itself is well-formed, and is kept as JSON.
      code: parsed.code === 'malformed_json' ? 'wrong_type' : parsed.code,
      errors: Object.fromEntries(
        Object.entries(parsed.errors).map(([path, messages]) => [
          path === 'event' ? from : `${from}.${path}`,
          messages,
        ]),
      ),
    };
  if (!isJsonObject(parsed.value)) return violation('wrong_type', from, 'Must hold a JSON object.');
  return { from, name, value: parsed.value };
}

export const violation = (code: Violation['code'], field: string, message: string): Violation => ({
  code,
  errors: { [field]: [message] },
});
