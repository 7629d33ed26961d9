import type { FastifyRequest } from 'fastify';
import { hash } from 'node:crypto';
import { Timeslice } from '../../platform/async/timeslice.js';
import { DomainError } from '../../platform/errors/domain-error.js';
import { JSON_TYPE } from '../../platform/http/media-types.js';
import { isJsonObject } from '../../platform/json/json-object.js';
import type { Dialect, Message } from '../dialect.js';
import { JSON_LOGS } from './json-logs.js';
import { before, itemsTooLarge, MAX_ITEMS_BYTES, MAX_RECORD_BYTES, MAX_RECORDS } from './limits.js';
import type { LogsEncoding, Members } from './logs-request.js';
import { isProtobuf } from './media-type.js';
import { PROTOBUF_LOGS } from './protobuf-logs.js';
import { renderStatus } from './status.js';
import { eventNameOf, translateRecord } from './translate-record.js';

/** Characters of the digest of a request in the ids of its records. */
const DIGEST_LENGTH = 22;

/** OpenTelemetry's logs over HTTP (OTLP/HTTP). Records with an event name are events. */
export const OPENTELEMETRY: Dialect = {
  name: 'opentelemetry',
  keys: {},
  maxItems: MAX_RECORDS,
  open,
  translate: translateRecord,
  renderError: renderStatus,
};

async function open(bytes: Buffer, request: FastifyRequest): Promise<Message> {
  const encoding = encodingOf(request);
  const resources = await encoding.divide(bytes, MAX_RECORDS);
  // A request that is sent again has the same bytes, and OpenTelemetry gives records no id.
  const digest = hash('sha256', bytes, 'base64url').slice(0, DIGEST_LENGTH);
  const slice = new Timeslice();
  const items: Buffer[] = [];
  let position = 0;
  let skipped = 0;
  let size = 0;
  for (const resource of resources)
    for (const scope of resource.scopes)
      for (const record of scope.records) {
        if (slice.isOver) await slice.next();
        const id = `"recordId":"${digest}:${position++}"`;
        const item = toItem(encoding, record, id, resource.members, scope.members);
        if (item === undefined) {
          skipped++;
          continue;
        }
        size += item.length + 1;
        if (size > MAX_ITEMS_BYTES) throw itemsTooLarge();
        items.push(Buffer.from(`${items.length === 0 ? '[' : ','}${item}`, 'latin1'));
      }
  items.push(Buffer.from(items.length === 0 ? '[]' : ']'));
  return { items: Buffer.concat(items), skipped };
}

/**
 * A message of ResourceLogs that holds one record.
 * @returns JSON text, as bytes in Latin-1; undefined for a record without an event name
 */
function toItem(
  encoding: LogsEncoding,
  record: Buffer,
  id: string,
  resource: Members,
  scope: Members,
): string | undefined {
  if (!encoding.mayHaveEventName(record)) return undefined;
  // The text would not be parsed, and would take long to write.
  const text = record.length > MAX_RECORD_BYTES ? undefined : encoding.textOf(record);
  if (text === undefined) return `{${id},"omittedBytes":${record.length}}`;
  if (text.length <= MAX_RECORD_BYTES && !hasEventName(text)) return undefined;
  return `{${id},${before(resource)}"scopeLogs":[{${before(scope)}"logRecords":[${text}]}]}`;
}

function hasEventName(text: string): boolean {
  const record: unknown = JSON.parse(text);
  return isJsonObject(record) && eventNameOf(record) !== undefined;
}

function encodingOf(request: FastifyRequest): LogsEncoding {
  if (isProtobuf(request)) return PROTOBUF_LOGS;
  if (JSON_TYPE.test(request.headers['content-type']?.toLowerCase() ?? '')) return JSON_LOGS;
  throw new DomainError(
    'unsupported',
    'unsupported_media_type',
    'Send application/x-protobuf or application/json, as OTLP/HTTP does.',
  );
}
