import type { DomainError } from '../../platform/errors/domain-error.js';
import { toProblemDocument } from '../../platform/http/problem-document.js';
import type { RenderedError } from '../../platform/http/problem.filter.js';
import { isJsonObject } from '../../platform/json/json-object.js';
import type { Dialect, Message, Translation } from '../dialect.js';
import { openEnvelope } from '../envelope.js';
import { cut, idOf, instantOf, microseconds, sessionId, textOf } from '../values.js';

/** Segment's HTTP API, and what speaks it. */
export const SEGMENT: Dialect = {
  name: 'segment',
  keys: { query: ['writeKey'], headers: ['x-write-key'], body: true },
  open,
  translate,
  renderError,
};

async function open(bytes: Buffer): Promise<Message> {
  const { items, members } = await openEnvelope(bytes, 'batch');
  return { items, key: members.writeKey, sentAt: instantOf(members.sentAt) };
}

/** Members of an item that change from one attempt to the next, or are the key. */
const TRANSPORT = new Set(['sentAt', 'writeKey', '_metadata']);

function translate(item: unknown): Translation {
  if (!isJsonObject(item)) return { code: 'wrong_type', errors: { event: ['Must be a JSON object.'] } };
  const { type, event, name, messageId, anonymousId, userId } = item;
  const session = idOf(anonymousId) ?? idOf(userId);
  if (session === undefined)
    return {
      id: textOf(messageId),
      code: 'missing_field',
      errors: { anonymousId: ['Either anonymousId or userId is required.'] },
    };
  const title = textOf(event) ?? textOf(name) ?? textOf(type);
  return {
    session_id: sessionId(session),
    category: type,
    name: title === undefined ? undefined : cut(title),
    data: Object.fromEntries(Object.entries(item).filter(([member]) => !TRANSPORT.has(member))),
    timestamp: microseconds(item.originalTimestamp ?? item.timestamp),
    id: textOf(messageId),
    sentAt: instantOf(item.sentAt),
  };
}

function renderError(error: DomainError): RenderedError {
  const { status, code, detail } = toProblemDocument(error);
  return { status, contentType: 'application/json; charset=utf-8', body: { code, message: detail } };
}
