import type { FastifyRequest } from 'fastify';
import type { DomainError } from '../../platform/errors/domain-error.js';
import { JSON_CONTENT_TYPE } from '../../platform/http/media-types.js';
import { toProblemDocument } from '../../platform/http/problem-document.js';
import type { RenderedError } from '../../platform/http/problem.filter.js';
import type { Dialect, Message } from '../dialect.js';
import { openEnvelope } from '../envelope.js';
import { instantOf } from '../values.js';
import { translate, TYPES, type SegmentType } from './translate.js';

/**
 * Segment's HTTP API, and what speaks it: RudderStack, Customer.io, Jitsu and others.
 * @see https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
 */
export const SEGMENT: Dialect = {
  name: 'segment',
  keys: { query: ['writeKey'], headers: ['x-write-key'], body: true },
  open,
  translate,
  renderError,
};

/** The last segment of a path that takes a single event, as in `/v1/track` and `/v1/t`. */
const TYPE_OF_PATH: ReadonlyMap<string, SegmentType> = new Map(
  TYPES.flatMap((type) => [
    [type, type],
    [type.charAt(0), type],
  ]),
);

const OPEN_BRACE = 0x7b;

/** Opens `{ batch, writeKey, sentAt }`, or a single event, whose type may stand in the path alone. */
async function open(bytes: Buffer, request: FastifyRequest): Promise<Message> {
  const { items, members } = await openEnvelope(bytes, 'batch');
  const type = typeOfPath(request);
  const isUntyped = !Array.isArray(members.batch) && isMissing(members, 'type');
  return {
    items: isUntyped && type !== undefined ? withType(items, type) : items,
    key: members.writeKey,
    sentAt: instantOf(members.sentAt),
  };
}

function typeOfPath({ params, routeOptions: { url = '' } }: FastifyRequest): SegmentType | undefined {
  const { type = url.slice(url.lastIndexOf('/') + 1) } = params as { type?: string };
  return TYPE_OF_PATH.get(type);
}

/** False for an object without any member, which is also what an item beyond its bounds has. */
const isMissing = (members: Readonly<Record<string, unknown>>, name: string): boolean =>
  Object.keys(members).length > 0 && !Object.hasOwn(members, name);

/** @param item JSON text of an object that has members */
function withType(item: Buffer, type: SegmentType): Buffer {
  const start = item.indexOf(OPEN_BRACE) + 1;
  return Buffer.concat([item.subarray(0, start), Buffer.from(`"type":"${type}",`), item.subarray(start)]);
}

/**
 * The statuses of The Eye are right for these clients: they drop 400, 401, 403 and 413, and repeat 429 and 503. Python's
 * repeats whatever has no `code` and `message`.
 */
function renderError(error: DomainError): RenderedError {
  const { status, code, detail, errors = {} } = toProblemDocument(error);
  const reasons = Object.entries(errors).map(([field, messages]) => `${field}: ${messages.join(' ')}`);
  return {
    status,
    contentType: JSON_CONTENT_TYPE,
    body: { code, message: [detail, ...reasons].join(' ') },
  };
}
