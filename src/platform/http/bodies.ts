import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import { environment } from '../config/environment.js';
import { DomainError } from '../errors/domain-error.js';
import { bodyTooLarge, unsupportedMediaType } from './http-errors.js';

/** A JSON body, not parsed: its reader checks that JSON.parse keeps every number and key. */
export class JsonBody {
  constructor(readonly text: string) {}
}

/** A body of one JSON text a line, read while it arrives. */
export class NdjsonBody {
  /** @param lines without blank ones; iterating throws what makes the whole body invalid */
  constructor(readonly lines: AsyncIterable<string>) {}
}

/** Parses JSON and NDJSON bodies into JsonBody and NdjsonBody; Fastify responds 415 to every other content type. */
export const bodyParsers = fp(
  (fastify, _, done) => {
    fastify.removeAllContentTypeParsers();
    fastify.addContentTypeParser<Buffer>(
      'application/json',
      { parseAs: 'buffer', bodyLimit: environment.BODY_LIMIT },
      (request, body, parsed) => {
        const error = unsupportedEncoding(request);
        if (error) return parsed(error);
        if (!isUtf8(body)) return parsed(notUtf8());
        parsed(null, new JsonBody(withoutBom(body.toString('utf8'))));
      },
    );
    fastify.addContentTypeParser('application/x-ndjson', (request, body, parsed) => {
      const error = unsupportedEncoding(request);
      if (error) return parsed(error);
      if (Number(request.headers['content-length'] ?? 0) > environment.BODY_LIMIT)
        return parsed(bodyTooLarge());
      parsed(null, new NdjsonBody(readLines(body, environment.BODY_LIMIT)));
    });
    done();
  },
  { name: 'the-eye-body-parsers' },
);

/**
 * @param limit bytes
 * @throws DomainError `body_too_large`, `not_utf8`
 */
async function* readLines(body: Readable, limit: number): AsyncGenerator<string> {
  let size = 0;
  let parts: Buffer[] = [];
  // Destroying the stream would destroy its connection, and with it the response that names the error.
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw bodyTooLarge();
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      yield* decodeLine([...parts, chunk.subarray(start, end)]);
      parts = [];
      start = end + 1;
    }
    if (start < chunk.length) parts.push(chunk.subarray(start));
  }
  yield* decodeLine(parts);
}

/** Yields the text of a line, or nothing for a blank one. */
function* decodeLine(parts: Buffer[]): Generator<string> {
  const bytes = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  if (!isUtf8(bytes)) throw notUtf8();
  const text = withoutBom(bytes.toString('utf8'));
  if (text.trim() !== '') yield text;
}

function withoutBom(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/** Decoding with replacement characters would silently change the events. */
function notUtf8(): DomainError {
  return new DomainError('invalid', 'not_utf8', 'The body is not valid UTF-8.');
}

function unsupportedEncoding(request: FastifyRequest): DomainError | undefined {
  const type = request.headers['content-type'] ?? '';
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(type)?.[1]?.toLowerCase() ?? 'utf-8';
  const encoding = request.headers['content-encoding']?.toLowerCase() ?? 'identity';
  if (charset !== 'utf-8' && charset !== 'utf8') return unsupportedMediaType(type);
  if (encoding !== 'identity') return unsupportedMediaType(`Content-Encoding: ${encoding}`);
  return undefined;
}
