import type { IncomingHttpHeaders } from 'node:http';
import { isUtf8 } from 'node:buffer';
import { EVENT_BOUNDS } from '../../events/event-reader.js';
import { Timeslice } from '../../platform/async/timeslice.js';
import { malformedJson } from '../../platform/http/http-errors.js';
import { JsonScanner } from '../../platform/json/json-scanner.js';
import { toUtf8 } from '../surrogates.js';
import { JSON_SUBTYPE } from './media-types.js';

const PREFIX = 'ce-';

/** Names that binary mode does not send as headers. */
const NOT_IN_HEADERS = new Set(['datacontenttype', 'data', 'data_base64']);

/** Content types of text, whose data stays readable. */
const TEXT_TYPE = /^(text\/|application\/(xml|[^;]+\+xml|javascript|x-www-form-urlencoded)(;|$))/i;

/**
 * An event in binary mode as the JSON text of the same event in structured mode.
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md#3-envelope
 * @throws DomainError `malformed_json` if the data is to be JSON and is none
 */
export async function toStructured(headers: IncomingHttpHeaders, body: Buffer): Promise<Buffer> {
  // Without a prototype, so that the header ce-__proto__ is an attribute like any other.
  const attributes = Object.create(null) as Record<string, unknown>;
  for (const [header, value] of Object.entries(headers)) {
    const name = header.slice(PREFIX.length);
    if (header.startsWith(PREFIX) && name !== '' && !NOT_IN_HEADERS.has(name))
      attributes[name] = decodeHeader(String(value));
  }
  const type = headers['content-type'];
  if (type !== undefined) attributes['datacontenttype'] = type;
  const start = JSON.stringify(attributes);
  if (body.length === 0) return Buffer.from(start);
  const separator = start === '{}' ? '' : ',';
  return Buffer.concat([
    Buffer.from(start.slice(0, -1) + separator),
    await dataMember(type, body),
    Buffer.from('}'),
  ]);
}

/** The member of the structured event that holds the data: a JSON value as it is, a text, or bytes in Base64. */
async function dataMember(type: string | undefined, body: Buffer): Promise<Buffer> {
  if (type === undefined || JSON_SUBTYPE.test(type)) {
    const json = toUtf8(body);
    await checkJson(json);
    return Buffer.concat([Buffer.from('"data":'), json]);
  }
  if (TEXT_TYPE.test(type)) {
    const text = toUtf8(body);
    if (isUtf8(text)) return Buffer.from(`"data":${JSON.stringify(text.toString())}`);
  }
  return Buffer.from(`"data_base64":"${body.toString('base64')}"`);
}

/** A text such as `1,"type":"other"` is none, and would add members to the event. */
async function checkJson(json: Buffer): Promise<void> {
  const array = Buffer.concat([Buffer.from('['), json, Buffer.from(']')]);
  const scanner = new JsonScanner(array, false, EVENT_BOUNDS, 1);
  await scanner.run(new Timeslice());
  if (scanner.syntaxError !== undefined || scanner.values.length !== 1)
    throw malformedJson('The data of the event is not valid JSON.');
}

/**
 * The value of an attribute. Characters beyond ASCII are percent-encoded; a value that is not valid in that is taken as it is.
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md#3132-http-header-values
 */
function decodeHeader(value: string): string {
  const unquoted = /^".*"$/s.test(value) ? value.slice(1, -1).replace(/\\(.)/gs, '$1') : value;
  try {
    return decodeURIComponent(unquoted);
  } catch {
    return unquoted;
  }
}
