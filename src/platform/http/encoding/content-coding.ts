import { unsupportedContentEncoding } from '../http-errors.js';
import { CONTENT_CODINGS, type ContentCoding } from './content-codings.js';

/** @see https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1.3 */
const ALIASES = new Map<string, string>([['x-gzip', 'gzip']]);

/**
 * The coding of a body.
 * @param header `Content-Encoding`
 * @returns undefined if it has none
 * @throws DomainError `unsupported_media_type` for an unknown coding, or for more than one
 */
export function contentCodingOf(header: string | undefined): ContentCoding | undefined {
  if (header === undefined) return undefined;
  const names = header
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity');
  if (names.length === 0) return undefined;
  const [name = ''] = names;
  const coding = CONTENT_CODINGS.find((known) => known === (ALIASES.get(name) ?? name));
  if (coding === undefined || names.length > 1) throw unsupportedContentEncoding(header);
  return coding;
}

/** Whether a body is gzip, whatever its headers say. Neither JSON nor a text in UTF-8 can begin like this. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}
