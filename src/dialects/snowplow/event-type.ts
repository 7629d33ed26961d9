import type { Violation } from '../../events/event-reader.js';
import { isJsonObject } from '../../platform/json/json-object.js';
import { idOf, isGiven, stringOf } from '../values.js';
import { violation } from './packed-json.js';

interface EventType {
  readonly category: string;
  readonly name: string;
}

/** Events whose type is all that their name says. The title or the address of a page would make a type of each page. */
const FIXED_TYPES = new Map<unknown, EventType>([
  ['pv', { category: 'page view', name: 'page_view' }],
  ['pp', { category: 'page ping', name: 'page_ping' }],
  ['tr', { category: 'transaction', name: 'transaction' }],
  ['ti', { category: 'transaction', name: 'transaction_item' }],
]);

/** Address of a schema: vendor, name, format, version. */
const SCHEMA = /^iglu:([^/]+)\/([^/]+)\/[^/]+\/[^/]+$/;

/** The type of an event. @param selfDescribing what `ue_pr` or `ue_px` held */
export function typeOf(
  { e, se_ca, se_ac }: Readonly<Record<string, unknown>>,
  selfDescribing: Record<string, unknown> | undefined,
): EventType | Violation {
  const fixed = FIXED_TYPES.get(e);
  if (fixed) return fixed;
  if (e === 'se') return structuredType(se_ca, se_ac);
  if (e === 'ue') return selfDescribingType(selfDescribing);
  return violation(
    isGiven(e) ? 'wrong_type' : 'missing_field',
    'e',
    'Must be one of pv, pp, se, ue, tr and ti.',
  );
}

function structuredType(se_ca: unknown, se_ac: unknown): EventType | Violation {
  const category = idOf(se_ca);
  if (category === undefined) return violation('missing_field', 'se_ca', 'This field is required.');
  const name = idOf(se_ac);
  if (name === undefined) return violation('missing_field', 'se_ac', 'This field is required.');
  return { category, name };
}

function selfDescribingType(event: Record<string, unknown> | undefined): EventType | Violation {
  if (!event)
    return violation('missing_field', 'ue_pr', 'A self-describing JSON, here or in ue_px, is required.');
  const schema = isJsonObject(event.data) ? stringOf(event.data.schema) : undefined;
  const [, category, name] = SCHEMA.exec(schema ?? '') ?? [];
  if (category === undefined || name === undefined)
    return violation(
      schema === undefined ? 'missing_field' : 'wrong_type',
      'ue_pr.data.schema',
      'Must be the address of a schema, such as iglu:com.example/order_completed/jsonschema/1-0-0.',
    );
  return { category, name };
}
