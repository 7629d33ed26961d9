import type { FastifyRequest } from 'fastify';
import { DomainError } from '../../platform/errors/domain-error.js';
import { emptyBody, unsupportedMediaType } from '../../platform/http/http-errors.js';
import type { Dialect, Message, Translation, Untranslatable } from '../dialect.js';
import { toUtf8 } from '../surrogates.js';
import { cut, microseconds, sessionId, stringOf } from '../values.js';
import { toStructured } from './binary-mode.js';
import { BATCH_TYPE, essenceOf, EVENT_TYPE } from './media-types.js';

const SPECVERSION = '1.0';

/** The category of a type that has no prefix. */
const NO_PREFIX = 'cloudevents';

/**
 * CloudEvents over HTTP, a specification of the Cloud Native Computing Foundation.
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
 */
export const CLOUDEVENTS: Dialect = { name: 'cloudevents', keys: {}, mayHoldGzip: true, open, translate };

/** @throws DomainError `unsupported_media_type` for other formats of an event than JSON, `empty_body`, `malformed_json` */
async function open(bytes: Buffer, { headers }: FastifyRequest): Promise<Message> {
  const type = essenceOf(headers['content-type'] ?? '');
  if (type === BATCH_TYPE || type === EVENT_TYPE) {
    const items = toUtf8(bytes);
    const first = /[^\s\ufeff]/.exec(items.toString('utf8', 0, 1024))?.[0];
    if (first === undefined) throw emptyBody('The body is empty: send an event, or an array of events.');
    if (type === BATCH_TYPE && first !== '[')
      throw new DomainError('invalid', 'wrong_type', `A body of ${BATCH_TYPE} must be an array of events.`);
    if (type === EVENT_TYPE && first === '[')
      throw new DomainError('invalid', 'wrong_type', `Send an array of events as ${BATCH_TYPE}.`);
    return { items };
  }
  if (type.startsWith('application/cloudevents')) throw unsupportedMediaType(headers['content-type']);
  return { items: await toStructured(headers, bytes) };
}

/** The required attributes besides `specversion`. */
const REQUIRED = ['id', 'source', 'type'] as const;

function translate(item: Readonly<Record<string, unknown>>): Translation {
  const { specversion, time, subject, sessionid } = item;
  const id = stringOf(item.id);
  const source = stringOf(item.source);
  const type = stringOf(item.type);
  if (specversion !== SPECVERSION) return wrongVersion(specversion);
  if (id === undefined || source === undefined || type === undefined) return missing(item);
  const prefix = type.slice(0, Math.max(0, type.lastIndexOf('.')));
  return {
    session_id: sessionId(stringOf(sessionid) ?? stringOf(subject) ?? source),
    category: cut(prefix === '' ? NO_PREFIX : prefix),
    name: cut(type),
    data: item,
    timestamp: microseconds(time),
    // Together they identify an event.
    id: JSON.stringify([source, id]),
  };
}

function missing(item: Record<string, unknown>): Untranslatable {
  const names = REQUIRED.filter((name) => stringOf(item[name]) === undefined);
  const code = names.some((name) => item[name] === undefined) ? 'missing_field' : 'wrong_type';
  const message = 'This attribute is required: a text that is not empty.';
  return { code, errors: Object.fromEntries(names.map((name) => [name, [message]])) };
}

function wrongVersion(specversion: unknown): Untranslatable {
  return specversion === undefined
    ? { code: 'missing_field', errors: { specversion: [`This attribute is required: "${SPECVERSION}".`] } }
    : { code: 'wrong_type', errors: { specversion: [`Must be "${SPECVERSION}".`] } };
}
