import {
  parseEventText,
  type ReadContext,
  readEvent,
  type RefusedVerdict,
  type Verdict,
} from '../events/event-reader.js';
import { isJsonObject } from '../platform/json/json-object.js';
import { type Dialect, isUntranslatable, type TranslatedEvent, type Translation } from './dialect.js';

/** Translates an item. In no dialect is one anything else than an object. */
export function translateItem(dialect: Dialect, item: unknown): Translation {
  return isJsonObject(item)
    ? dialect.translate(item)
    : { code: 'wrong_type', errors: { event: ['Must be a JSON object.'] } };
}

/**
 * Reads an event that a dialect has made.
 * @param arrival canonical; the time of an event that has none
 */
export function readTranslated(
  { session_id, category, name, data, timestamp }: TranslatedEvent,
  arrival: string | undefined,
  context: ReadContext,
): Verdict {
  const time = timestamp ?? arrival;
  const fields = { session_id, category, name, data, ...(time !== undefined && { timestamp: time }) };
  return readEvent(fields, undefined, context);
}

/** Translates an item from its JSON text. */
export function parseItemText(dialect: Dialect, text: string): TranslatedEvent | RefusedVerdict {
  const parsed = parseEventText(text);
  if ('outcome' in parsed) return parsed;
  const translation = translateItem(dialect, parsed.value);
  return isUntranslatable(translation) ? { outcome: 'refused', ...translation } : translation;
}
