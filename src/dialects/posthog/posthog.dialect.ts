import type { DomainError } from '../../platform/errors/domain-error.js';
import { JSON_CONTENT_TYPE } from '../../platform/http/media-types.js';
import { toProblemDocument } from '../../platform/http/problem-document.js';
import type { RenderedError } from '../../platform/http/problem.filter.js';
import { isJsonObject } from '../../platform/json/json-object.js';
import type { Dialect, Translation, Untranslatable } from '../dialect.js';
import { cut, fromMilliseconds, idOf, instantOf, microseconds, sessionId, stringOf } from '../values.js';
import { openRequest } from './open-request.js';

/** PostHog's capture API, with and without a result for each event. */
export const POSTHOG: Dialect = {
  name: 'posthog',
  keys: { body: true },
  open: openRequest,
  translate,
  renderError,
};

/** Members of an event that are the key, or change from one attempt to the next. */
const TRANSPORT = new Set(['api_key', 'token', '$token', 'sent_at']);

/** The same of its properties. posthog-js puts the key into each event. */
const TRANSPORT_PROPERTIES = new Set(['token']);

function translate(item: Readonly<Record<string, unknown>>): Translation {
  const properties = isJsonObject(item.properties) ? item.properties : {};
  const id = idOf(item.uuid) ?? idOf(properties.$insert_id);
  const event = stringOf(item.event);
  if (event === undefined) return withoutName(item.event, id);
  const session = [
    properties.$session_id,
    item.session_id,
    item.distinct_id,
    item.$distinct_id,
    properties.distinct_id,
    properties.$distinct_id,
  ]
    .map(idOf)
    .find((found) => found !== undefined);
  if (session === undefined)
    return {
      id,
      code: 'missing_field',
      errors: { distinct_id: ['A text or a number is required, here or in `properties`.'] },
    };
  return {
    session_id: sessionId(session),
    category: event.startsWith('$') ? 'posthog' : 'track',
    name: cut(event),
    data: {
      ...without(item, TRANSPORT),
      ...(isJsonObject(item.properties) && { properties: without(item.properties, TRANSPORT_PROPERTIES) }),
    },
    timestamp: timestampOf(item.timestamp ?? undefined, properties.$time),
    id,
    sentAt: instantOf(item.sent_at),
  };
}

function withoutName(event: unknown, id: string | undefined): Untranslatable {
  if (event === undefined)
    return { id, code: 'missing_field', errors: { event: ['This field is required.'] } };
  if (event === '') return { id, code: 'empty', errors: { event: ['Must not be empty.'] } };
  return { id, code: 'wrong_type', errors: { event: ['Must be a text.'] } };
}

/** @param seconds since 1970, with decimals, in which older releases of posthog-js say when an event happened */
function timestampOf(timestamp: unknown, seconds: unknown): unknown {
  if (timestamp === undefined)
    return typeof seconds === 'number' ? fromMilliseconds(Math.round(seconds * 1000)) : undefined;
  return typeof timestamp === 'number' ? fromMilliseconds(timestamp) : microseconds(timestamp);
}

const without = (object: Record<string, unknown>, names: ReadonlySet<string>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !names.has(name)));

/** posthog-js drops the events of every 4xx, 429 too. It repeats a 503, and waits as long as `Retry-After` says. */
const STATUSES: Partial<Record<DomainError['kind'], number>> = { rate_limited: 503, timeout: 503 };

function renderError(error: DomainError): RenderedError {
  const { status, code, detail } = toProblemDocument(error);
  return {
    status: STATUSES[error.kind] ?? status,
    contentType: JSON_CONTENT_TYPE,
    body: { type: typeOf(status), code, detail, attr: null },
  };
}

function typeOf(status: number): string {
  if (status === 401 || status === 403) return 'authentication_error';
  if (status === 429) return 'throttled_error';
  return status < 500 ? 'validation_error' : 'server_error';
}
