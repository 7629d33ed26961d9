import type { FastifyContextConfig, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import { environment } from '../config/environment.js';
import { DomainError } from '../errors/domain-error.js';
import { bodyTooLarge, unsupportedContentEncoding, unsupportedMediaType } from './http-errors.js';
import { JSON_TYPE, NDJSON_MEDIA_TYPES } from './media-types.js';

/** A JSON body, not parsed: its reader checks that JSON.parse keeps every number and key. */
export class JsonBody {
  /** @param bytes valid UTF-8 */
  constructor(readonly bytes: Buffer) {}

  /** Without a byte order mark. */
  get text(): string {
    const text = this.bytes.toString();
    return text.startsWith('\uFEFF') ? text.slice(1) : text;
  }
}

/** A body of one JSON text a line, not parsed. */
export class NdjsonBody {
  /** @param bytes of lines, each of which may be invalid UTF-8 */
  constructor(readonly bytes: Buffer) {}
}

/** A body of a protocol that decides itself what its content types mean, not looked at. */
export class RawBody {
  constructor(readonly bytes: Buffer) {}
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** True for a route that takes a RawBody of any content type. */
    takesAnyType?: boolean;
  }
}

export interface BodyOptions {
  /** Whether a route takes events. The bodies of all others are small objects, which are parsed at once. */
  readonly takesEvents: (route: FastifyContextConfig) => boolean;
  /** Whether it is known who sends a request. Of others, only a small body is read. */
  readonly isAuthenticated: (request: FastifyRequest) => boolean;
  /**
   * Called while a body arrives.
   * @param bytes that have arrived so far
   * @returns a promise until which no more is read; undefined to continue
   * @throws DomainError, synchronously or by rejecting, to refuse the body
   */
  readonly onBytes: (request: FastifyRequest, bytes: number) => Promise<void> | undefined;
}

/** Bytes of a body that is read to find a key in it: batches of the SDKs that put it there are at most half as large. */
const MAX_UNAUTHENTICATED_BYTES = 1024 * 1024;

/** Bytes of a body that is a single JSON object: a schema of 64 KiB, indented, fits. */
const MAX_OBJECT_BYTES = 256 * 1024;

/** A chunk costs as much as these bytes, so a body counts as at least so many a chunk. */
const MIN_CHUNK_BYTES = 64;

/** Chunks of a body that is smaller than so many of MIN_CHUNK_BYTES. */
const MAX_SMALL_CHUNKS = 1024;

/** Bytes that are reserved for a body before it arrives. */
const MAX_INITIAL_BYTES = 64 * 1024;

/** Methods whose bodies are not read. */
const UNREAD_METHODS = new Set(['GET', 'HEAD']);

/** Reads JSON and NDJSON bodies, and those of any type on the routes that take them; every other content type gets 415. */
export const bodyParsers = fp<BodyOptions>(
  (fastify, { takesEvents, isAuthenticated, onBytes }, registered) => {
    fastify.addHook('onRoute', (route) => {
      if (!takesEvents(route.config ?? {}))
        route.bodyLimit = Math.min(MAX_OBJECT_BYTES, environment.BODY_LIMIT);
    });
    fastify.removeAllContentTypeParsers();
    // Before the body is asked for. Fastify reads none of GET and HEAD.
    fastify.addHook('preParsing', (request, _reply, payload, next) => {
      const hasBody = !UNREAD_METHODS.has(request.method) && request.headers['content-type'] !== undefined;
      next(hasBody ? unsupportedEncoding(request) : undefined, payload);
    });
    const parser =
      (toBody: (bytes: Buffer) => unknown) =>
      (request: FastifyRequest, payload: Readable, parsed: (error: Error | null, body?: unknown) => void) => {
        const { bodyLimit, config } = request.routeOptions;
        const limit = isAuthenticated(request) ? bodyLimit : Math.min(bodyLimit, MAX_UNAUTHENTICATED_BYTES);
        readBody(request, payload, limit, onBytes, (failure, bytes) => {
          if (failure) return parsed(failure);
          try {
            parsed(null, config.takesAnyType ? new RawBody(bytes) : toBody(bytes));
          } catch (invalid) {
            parsed(invalid as Error);
          }
        });
      };
    fastify.addContentTypeParser(JSON_TYPE, parser(toJsonBody));
    fastify.addContentTypeParser(
      NDJSON_MEDIA_TYPES,
      parser((bytes) => new NdjsonBody(bytes)),
    );
    const parseRaw = parser((bytes) => bytes);
    fastify.addContentTypeParser('*', (request, payload, parsed) => {
      if (request.routeOptions.config.takesAnyType) parseRaw(request, payload, parsed);
      else parsed(unsupportedMediaType(request.headers['content-type']));
    });
    registered();
  },
  { name: 'the-eye-body-parsers' },
);

/** @throws DomainError `not_utf8`: decoding with replacement characters would silently change the events */
function toJsonBody(bytes: Buffer): JsonBody {
  if (!isUtf8(bytes)) throw new DomainError('invalid', 'not_utf8', 'The body is not valid UTF-8.');
  return new JsonBody(bytes);
}

/**
 * Collects a body. Fastify's own reader keeps each chunk in a buffer of its own until the end, which costs a hundred times
 * the bytes of chunks of one byte, and it cannot refuse a body because of who sent it.
 */
function readBody(
  request: FastifyRequest,
  body: Readable,
  limit: number,
  onBytes: BodyOptions['onBytes'],
  done: (error: Error | null, bytes: Buffer) => void,
): void {
  const declared = Number(request.headers['content-length'] ?? 0);
  let whole: Buffer = Buffer.allocUnsafe(0);
  if (declared > limit) return done(bodyTooLarge(limit), whole);
  let size = 0;
  let chunks = 0;
  let isDone = false;
  let pending: Promise<void> | undefined;
  body.on('data', onData).on('end', onEnd).on('error', finish);

  function onData(chunk: Buffer): void {
    const start = size;
    size += chunk.length;
    chunks++;
    if (size > limit) return finish(bodyTooLarge(limit));
    if (chunks > Math.max(MAX_SMALL_CHUNKS, limit / MIN_CHUNK_BYTES)) return finish(tooManyChunks());
    if (size > whole.length)
      whole = grown(whole, start, Math.max(size, Math.min(declared, MAX_INITIAL_BYTES)));
    chunk.copy(whole, start);
    try {
      const paused = onBytes(request, Math.max(size, chunks * MIN_CHUNK_BYTES));
      if (paused === undefined) return;
      body.pause();
      pending = paused.then(() => void body.resume());
      pending.catch(finish);
    } catch (error) {
      finish(error as Error);
    }
  }

  /** A paused stream ends all the same if nothing is left to read. */
  function onEnd(): void {
    if (pending) pending.then(() => finish(), finish);
    else finish();
  }

  function finish(error?: Error): void {
    if (isDone) return;
    isDone = true;
    body.off('data', onData).off('end', onEnd).off('error', finish);
    done(error ?? null, whole.subarray(0, size));
  }
}

/** A copy of the first `size` bytes, with room for `needed` bytes and as many again if there were some already. */
function grown(bytes: Buffer, size: number, needed: number): Buffer {
  const larger = Buffer.allocUnsafe(size === 0 ? needed : Math.max(needed, size * 2));
  bytes.copy(larger, 0, 0, size);
  return larger;
}

function tooManyChunks(): DomainError {
  return new DomainError(
    'too_large',
    'body_too_large',
    'The request body arrives in too many small chunks; send fewer and larger ones.',
  );
}

function unsupportedEncoding(request: FastifyRequest): DomainError | undefined {
  const type = request.headers['content-type'] ?? '';
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(type)?.[1]?.toLowerCase() ?? 'utf-8';
  const encoding = request.headers['content-encoding']?.toLowerCase() ?? 'identity';
  if (charset !== 'utf-8' && charset !== 'utf8') return unsupportedMediaType(type);
  if (encoding !== 'identity') return unsupportedContentEncoding(encoding);
  return undefined;
}
