import {
  parseEventText,
  type ReadContext,
  readEvent,
  type RefusedVerdict,
  type Verdict,
} from '../events/event-reader.js';
import { type Dialect, isUntranslatable, type TranslatedEvent } from './dialect.js';

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
  const translation = dialect.translate(parsed.value);
  return isUntranslatable(translation) ? { outcome: 'refused', ...translation } : translation;
}
