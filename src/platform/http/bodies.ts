import type { FastifyContextConfig, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import { environment } from '../config/environment.js';
import { DomainError } from '../errors/domain-error.js';
import { contentCodingOf, isGzip } from './encoding/content-coding.js';
import type { ContentCoding } from './encoding/content-codings.js';
import { decodeBody } from './encoding/decode-body.js';
import { GrowingBuffer } from './growing-buffer.js';
import { bodyTooLarge, tooManyChunks, unsupportedMediaType } from './http-errors.js';
import { JSON_TYPE, NDJSON_MEDIA_TYPES } from './media-types.js';
import { pauseRequest, resumeRequest } from './socket/pause-request.js';

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
    /** True for a route whose events may be gzip themselves, so that only `Content-Encoding` says that a body is compressed. */
    mayHoldGzip?: boolean;
  }
}

export interface BodyOptions {
  /** Whether a route takes events. The bodies of all others are small objects, which are parsed at once. */
  readonly takesEvents: (route: FastifyContextConfig) => boolean;
  /** Whether it is known who sends a request. Of others, only a small body is read. */
  readonly isAuthenticated: (request: FastifyRequest) => boolean;
  /**
   * Called while a body arrives, and then while it is decompressed.
   * @param bytes that have arrived, or come out, so far
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

/** Chunks of any size that a body may have, which take some milliseconds; more must have MIN_CHUNK_BYTES on average. */
const MAX_SMALL_CHUNKS = 4096;

/** Bytes that are reserved for a body before it arrives. */
const MAX_INITIAL_BYTES = 64 * 1024;

/** Methods whose bodies are not read. */
const UNREAD_METHODS = new Set(['GET', 'HEAD']);

/**
 * Reads JSON and NDJSON bodies, and those of any type on the routes that take them, and decompresses them; every other content
 * type gets 415.
 */
export const bodyParsers = fp<BodyOptions>(
  (fastify, { takesEvents, isAuthenticated, onBytes }, registered) => {
    fastify.addHook('onRoute', (route) => {
      if (!takesEvents(route.config ?? {}))
        route.bodyLimit = Math.min(MAX_OBJECT_BYTES, environment.BODY_LIMIT);
    });
    fastify.removeAllContentTypeParsers();
    // Before the body is asked for. Fastify reads none of GET and HEAD.
    fastify.addHook('preParsing', (request, _reply, payload, next) => {
      if (!UNREAD_METHODS.has(request.method) && request.headers['content-type'] !== undefined) {
        try {
          checkEncoding(request);
        } catch (error) {
          return next(error as Error);
        }
      }
      next(null, payload);
    });
    /** Some clients compress events without saying so, to spare a page the preflight of a header. */
    const isUnlabelledGzip = ({ routeOptions }: FastifyRequest, bytes: Buffer): boolean =>
      isGzip(bytes) && takesEvents(routeOptions.config) && !routeOptions.config.mayHoldGzip;
    const parser =
      (toBody: (bytes: Buffer) => unknown) =>
      (request: FastifyRequest, payload: Readable, parsed: (error: Error | null, body?: unknown) => void) => {
        const { bodyLimit, config } = request.routeOptions;
        const limit = isAuthenticated(request) ? bodyLimit : Math.min(bodyLimit, MAX_UNAUTHENTICATED_BYTES);
        const convert = (bytes: Buffer): void => {
          let body: unknown;
          try {
            body = config.takesAnyType ? new RawBody(bytes) : toBody(bytes);
          } catch (invalid) {
            return parsed(invalid as Error);
          }
          parsed(null, body);
        };
        let labelled: ContentCoding | undefined;
        try {
          // Checked before, unless the request has no content type.
          labelled = contentCodingOf(request.headers['content-encoding']);
        } catch (unsupported) {
          return parsed(unsupported as Error);
        }
        readBody(request, payload, limit, onBytes, (failure, bytes) => {
          if (failure) return parsed(failure);
          const coding = labelled ?? (isUnlabelledGzip(request, bytes) ? 'gzip' : undefined);
          if (coding === undefined) return convert(bytes);
          decodeBody(bytes, coding, {
            limit,
            onBytes: (size) => {
              request.reserveBody(size);
              return onBytes(request, size);
            },
          }).then(convert, parsed);
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
  { name: 'the-eye-body-parsers', dependencies: ['the-eye-body-budget'] },
);

/** @throws DomainError `not_utf8`: decoding with replacement characters would silently change the events */
function toJsonBody(bytes: Buffer): JsonBody {
  if (!isUtf8(bytes)) throw new DomainError('invalid', 'not_utf8', 'The body is not valid UTF-8.');
  return new JsonBody(bytes);
}

/** Collects a body as it was sent. Fastify's own reader cannot refuse a body because of who sent it. */
function readBody(
  request: FastifyRequest,
  body: Readable,
  limit: number,
  onBytes: BodyOptions['onBytes'],
  done: (error: Error | null, bytes: Buffer) => void,
): void {
  const declared = Number(request.headers['content-length'] ?? 0);
  const whole = new GrowingBuffer();
  if (declared > limit) return done(bodyTooLarge(limit), whole.bytes);
  let chunks = 0;
  let isDone = false;
  let pending: Promise<void> | undefined;
  body.on('data', onData).on('end', onEnd).on('error', finish);

  function onData(chunk: Buffer): void {
    const size = whole.size + chunk.length;
    chunks++;
    if (size > limit) return finish(bodyTooLarge(limit));
    if (chunks > MAX_SMALL_CHUNKS + size / MIN_CHUNK_BYTES) return finish(tooManyChunks());
    try {
      request.reserveBody(size);
      whole.append(chunk, Math.min(declared, MAX_INITIAL_BYTES));
      const paused = onBytes(request, Math.max(size, chunks * MIN_CHUNK_BYTES));
      if (paused === undefined) return;
      pauseRequest(request.raw);
      pending = paused.then(() => resumeRequest(request.raw));
      pending.catch((error: Error) => {
        // The connection is read on, for its next request.
        request.raw.socket.resume();
        finish(error);
      });
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
    done(error ?? null, whole.bytes);
  }
}

/** @throws DomainError `unsupported_media_type` */
function checkEncoding({ headers }: FastifyRequest): void {
  const type = headers['content-type'] ?? '';
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(type)?.[1]?.toLowerCase() ?? 'utf-8';
  if (charset !== 'utf-8' && charset !== 'utf8') throw unsupportedMediaType(type);
  contentCodingOf(headers['content-encoding']);
}
