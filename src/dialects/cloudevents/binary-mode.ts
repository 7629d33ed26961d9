import type { IncomingHttpHeaders } from 'node:http';
import { isUtf8 } from 'node:buffer';
import { JSON_SUBTYPE } from './media-types.js';

const PREFIX = 'ce-';

/** Names that binary mode does not send as headers. */
const NOT_IN_HEADERS = new Set(['datacontenttype', 'data', 'data_base64']);

/** Content types of text, whose data stays readable. */
const TEXT_TYPE = /^(text\/|application\/(xml|[^;]+\+xml|javascript|x-www-form-urlencoded)(;|$))/i;

/**
 * An event in binary mode as the JSON text of the same event in structured mode.
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md#3-envelope
 */
export function toStructured(headers: IncomingHttpHeaders, body: Buffer): Buffer {
  const attributes: Record<string, unknown> = {};
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
    dataMember(type, body),
    Buffer.from('}'),
  ]);
}

/** The member of the structured event that holds the data: a JSON value as it is, a text, or bytes in Base64. */
function dataMember(type: string | undefined, body: Buffer): Buffer {
  if (type === undefined || JSON_SUBTYPE.test(type)) return Buffer.concat([Buffer.from('"data":'), body]);
  if (TEXT_TYPE.test(type) && isUtf8(body)) return Buffer.from(`"data":${JSON.stringify(body.toString())}`);
  return Buffer.from(`"data_base64":"${body.toString('base64')}"`);
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
