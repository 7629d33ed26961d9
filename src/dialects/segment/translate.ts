import { isJsonObject } from '../../platform/json/json-object.js';
import type { Translation, Untranslatable } from '../dialect.js';
import { cut, fromMilliseconds, idOf, instantOf, isGiven, microseconds, sessionId } from '../values.js';

/** The calls of Segment's specification. */
export const TYPES = ['track', 'page', 'screen', 'identify', 'group', 'alias'] as const;

export type SegmentType = (typeof TYPES)[number];

type Item = Readonly<Record<string, unknown>>;

/** Translates an event of Segment's specification. */
export function translate(item: Item): Translation {
  const { type } = item;
  const id = idOf(item.messageId);
  if (!isType(type)) return refusal(id, 'type', type, `Must be one of ${TYPES.join(', ')}.`);
  const session = sessionOf(item);
  if (session === undefined) return refusal(id, 'anonymousId', undefined, 'Send an anonymousId or a userId.');
  const name = nameOf(type, item);
  if (name === undefined) return refusal(id, 'event', item.event, 'Must be the name of what happened.');
  return {
    session_id: sessionId(session),
    category: type,
    name: cut(name),
    data: dataOf(item),
    timestamp: timeOf(item),
    id,
    sentAt: instantOf(item.sentAt),
  };
}

const isType = (type: unknown): type is SegmentType => (TYPES as readonly unknown[]).includes(type);

function refusal(id: string | undefined, field: string, value: unknown, message: string): Untranslatable {
  return { id, code: isGiven(value) ? 'wrong_type' : 'missing_field', errors: { [field]: [message] } };
}

/**
 * Segment has no sessions, so all that a visitor does is one, unless a client says more: RudderStack's counts the visits, by
 * numbers that are not unique between visitors.
 */
function sessionOf({ anonymousId, userId, context }: Item): string | undefined {
  const visitor = idOf(anonymousId) ?? idOf(userId);
  const visit = isJsonObject(context) ? idOf(context.sessionId) : undefined;
  return visitor === undefined || visit === undefined ? visitor : `${visitor}:${visit}`;
}

/** @returns undefined for a track call without a name */
function nameOf(type: SegmentType, { event, name, properties }: Item): string | undefined {
  if (type === 'track') return idOf(event);
  if (type !== 'page' && type !== 'screen') return type;
  // Jitsu's client names a page in its properties only. A path would make a type for each address.
  return idOf(name) ?? (isJsonObject(properties) ? idOf(properties.name) : undefined) ?? type;
}

/** What an application says comes first. RudderStack's clients note beside it when they were called. */
function timeOf({ timestamp, originalTimestamp }: Item): unknown {
  const time = [timestamp, originalTimestamp].find(isGiven);
  return typeof time === 'number' ? fromMilliseconds(time) : microseconds(time);
}

/** The item without the key, and without what changes when it is sent again. */
function dataOf(item: Item): Record<string, unknown> {
  const { sentAt, writeKey, _metadata, ...rest } = item;
  const attempt = isJsonObject(_metadata) && ATTEMPT.some((name) => Object.hasOwn(_metadata, name));
  // Most items of a batch hold nothing of it, and are not copied.
  if (sentAt === undefined && writeKey === undefined && !attempt) return item;
  if (!attempt) return _metadata === undefined ? rest : { ...rest, _metadata };
  const metadata = Object.entries(_metadata).filter(([name]) => !ATTEMPT.includes(name));
  return metadata.length === 0 ? rest : { ...rest, _metadata: Object.fromEntries(metadata) };
}

/** Members of `_metadata` that describe an attempt. The first attempt has none of them, and may have no `_metadata` at all. */
const ATTEMPT = ['retryCount', 'failedInitializations'];
