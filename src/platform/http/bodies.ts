import { isUtf8 } from 'node:buffer';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import type { Readable } from 'node:stream';
import { environment } from '../config/environment.js';
import type { Caller } from '../../auth/caller.js';
import { Problem } from './problem.js';
import { bodyTooLarge, unsupportedMediaType } from './problem.filter.js';

/** A JSON body as text: whoever reads it wants to see numbers as they were written. */
export class JsonBody {
  constructor(
    readonly text: string,
    readonly caller: Caller,
  ) {}
}

/** A body of one JSON text a line, read while it arrives. */
export class NdjsonBody {
  /** @param lines without blank ones */
  constructor(
    readonly lines: AsyncIterable<string>,
    readonly caller: Caller,
  ) {}
}

/** Teaches Fastify the two kinds of bodies; every other content type is answered 415. */
export function readBodies(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer', bodyLimit: environment.BODY_LIMIT },
    (request, body, done) => {
      const refusal = refuseEncoding(request);
      if (refusal) return done(refusal);
      if (!isUtf8(body)) return done(notUtf8());
      done(null, new JsonBody(withoutBom(body.toString('utf8')), request.caller));
    },
  );
  fastify.addContentTypeParser('application/x-ndjson', (request, body, done) => {
    const refusal = refuseEncoding(request);
    if (refusal) return done(refusal);
    if (Number(request.headers['content-length'] ?? 0) > environment.BODY_LIMIT) return done(bodyTooLarge());
    done(null, new NdjsonBody(readLines(body, environment.BODY_LIMIT), request.caller));
  });
}

/** @throws Problem 413 past `limit` bytes, 400 where a line is not UTF-8 */
async function* readLines(body: Readable, limit: number): AsyncGenerator<string> {
  let size = 0;
  let rest: Buffer[] = [];
  // Left early, the stream would take its connection down with it, and the answer that says why.
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw bodyTooLarge();
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      yield* line([...rest, chunk.subarray(start, end)]);
      rest = [];
      start = end + 1;
    }
    if (start < chunk.length) rest.push(chunk.subarray(start));
  }
  yield* line(rest);
}

function* line(parts: Buffer[]): Generator<string> {
  const bytes = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  if (!isUtf8(bytes)) throw notUtf8();
  const text = withoutBom(bytes.toString('utf8'));
  if (text.trim() !== '') yield text;
}

function withoutBom(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/** Decoding with replacement characters would change what was sent without a word. */
function notUtf8(): Problem {
  return new Problem(400, 'not_utf8', 'The body is not valid UTF-8.');
}

function refuseEncoding(request: FastifyRequest): Problem | undefined {
  const type = request.headers['content-type'] ?? '';
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(type)?.[1]?.toLowerCase() ?? 'utf-8';
  const encoding = request.headers['content-encoding']?.toLowerCase() ?? 'identity';
  if (charset !== 'utf-8' && charset !== 'utf8') return unsupportedMediaType(type);
  if (encoding !== 'identity') return unsupportedMediaType(`Content-Encoding: ${encoding}`);
  return undefined;
}
