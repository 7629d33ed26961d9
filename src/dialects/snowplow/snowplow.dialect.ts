import type { DomainError, ErrorKind } from '../../platform/errors/domain-error.js';
import { JSON_CONTENT_TYPE } from '../../platform/http/media-types.js';
import { toProblemDocument } from '../../platform/http/problem-document.js';
import type { RenderedError } from '../../platform/http/problem.filter.js';
import { isJsonObject } from '../../platform/json/json-object.js';
import type { Dialect, Translation } from '../dialect.js';
import { cut, fromMilliseconds, idOf, isGiven, sessionId, stringOf } from '../values.js';
import { openRequest } from './open-request.js';
import { isViolation, unpack } from './packed-json.js';
import { typeOf } from './event-type.js';

/**
 * Snowplow's tracker protocol. All its values are texts.
 * @see https://docs.snowplow.io/docs/events/going-deeper/event-parameters/
 */
export const SNOWPLOW: Dialect = {
  name: 'snowplow',
  keys: { body: true },
  open: openRequest,
  translate,
  renderError,
};

function translate(item: Readonly<Record<string, unknown>>): Translation {
  const id = idOf(item.eid);
  const event = unpack(item, 'ue_pr', 'ue_px');
  if (isViolation(event)) return { id, ...event };
  const contexts = unpack(item, 'co', 'cx');
  if (isViolation(contexts)) return { id, ...contexts };
  const session = [item.sid, clientSessionOf(contexts?.value), item.duid, item.nuid, item.tnuid, item.uid]
    .map(idOf)
    .find((found) => found !== undefined);
  if (session === undefined)
    return {
      id,
      code: 'missing_field',
      errors: { sid: ['One of sid, a client_session context, duid, nuid, tnuid and uid is required.'] },
    };
  const type = typeOf(item, event?.value);
  if (isViolation(type)) return { id, ...type };
  const unpacked = new Map([event, contexts].flatMap((each) => (each ? [[each.from, each]] : [])));
  return {
    session_id: sessionId(session),
    category: cut(type.category),
    name: cut(type.name),
    data: Object.fromEntries(
      Object.entries(item)
        .filter(([name, value]) => !isTransport(name, value))
        .map(([name, value]) => {
          const json = unpacked.get(name);
          return json ? [json.name, json.value] : [name, value];
        }),
    ),
    timestamp: fromMilliseconds([item.ttm, item.dtm].find(isGiven)),
    id,
    sentAt: sentAtOf(item.stm),
  };
}

/** `stm` is new in each attempt. An application id is empty where the key stood in it. */
const isTransport = (name: string, value: unknown): boolean =>
  name === 'stm' || (name === 'aid' && value === '');

const sentAtOf = (stm: unknown): number | undefined =>
  typeof stm === 'string' && /^\d{1,15}$/.test(stm) ? Number(stm) : undefined;

const CLIENT_SESSION = 'iglu:com.snowplowanalytics.snowplow/client_session/';

/** The session that the trackers of mobile applications, which send no `sid`, name in a context. */
function clientSessionOf(contexts: Record<string, unknown> | undefined): unknown {
  const all: unknown[] = Array.isArray(contexts?.data) ? contexts.data : [];
  const session = all
    .filter(isJsonObject)
    .find(({ schema }) => stringOf(schema)?.startsWith(CLIENT_SESSION))?.data;
  return isJsonObject(session) ? session.sessionId : undefined;
}

/**
 * Trackers repeat a request for ever, before all others, unless the status is one of 400, 401, 403, 410 and 422. So what can
 * never be accepted gets one of these.
 */
const STATUSES: Partial<Record<ErrorKind, number>> = {
  not_found: 410,
  too_large: 422,
  unsupported: 422,
  unsupported_encoding: 422,
};

function renderError(error: DomainError): RenderedError {
  const { status, code, detail } = toProblemDocument(error);
  return {
    status: STATUSES[error.kind] ?? status,
    contentType: JSON_CONTENT_TYPE,
    body: { code, message: detail },
  };
}
