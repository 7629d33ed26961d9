import type { FastifyRequest } from 'fastify';
import type { KeyPlaces } from '../auth/key-places.js';
import type { Violation } from '../events/event-reader.js';
import type { RenderedError } from '../platform/http/problem.filter.js';
import type { DomainError } from '../platform/errors/domain-error.js';

/** The items of a request in the protocol of a dialect, each of which is to become an event. */
export interface Message {
  /** JSON text of an array of items, or of a single one. It may be invalid UTF-8: then only the items that are so are refused. */
  readonly items: Buffer;
  /** The key that stands in the body; undefined without one. */
  readonly key?: unknown;
  /** When the client sent the request by its own clock, in milliseconds since 1970. */
  readonly sentAt?: number | undefined;
  /** Messages of the request that are no events, such as log lines, and not among the items. */
  readonly skipped?: number;
}

/** An event as a dialect makes it of an item. What is missing or wrong in it is refused as in `POST /events/`. */
export interface TranslatedEvent {
  readonly session_id: unknown;
  readonly category: unknown;
  readonly name: unknown;
  readonly data: Record<string, unknown>;
  /** Text of ISO 8601; undefined if the client sent no time, so that the event happened when it arrived. */
  readonly timestamp: unknown;
  /** The client's own id of the item, which stays the same when it is sent again; undefined without one. */
  readonly id: string | undefined;
  /** When the client sent the item by its own clock, in milliseconds since 1970, if it says so of each item. */
  readonly sentAt?: number | undefined;
}

/** An item that cannot become an event, in the words of its protocol. */
export interface Untranslatable extends Violation {
  /** The client's own id of the item. */
  readonly id?: string | undefined;
}

export type Translation = TranslatedEvent | Untranslatable;

export const isUntranslatable = (translation: Translation): translation is Untranslatable =>
  'errors' in translation;

/**
 * A protocol of another system, whose clients send their events to The Eye unchanged. A dialect only translates: its events are
 * read, limited, recorded and queued as those of `POST /events/`.
 */
export interface Dialect {
  /** Stands in rejections and in the documentation. */
  readonly name: string;
  /** Where its clients put the key. */
  readonly keys: KeyPlaces;
  /** Items of one request, if its clients send more than EVENTS_LIMIT and cannot be configured to send fewer. */
  readonly maxItems?: number;
  /** True if the body may be the data of an event, of any content type. Then it is not decompressed unless its headers say so. */
  readonly mayHoldGzip?: boolean;
  /**
   * Finds the items of a request.
   * @param bytes of the body, uncompressed; empty for a GET
   * @throws DomainError `invalid` if the body is none of this protocol
   */
  readonly open: (bytes: Buffer, request: FastifyRequest) => Message | Promise<Message>;
  /**
   * Translates an item. Depends on nothing but the item, so that a refused one can be translated again later, and so that one
   * that is sent twice becomes the same event.
   * @param item of JSON.parse()
   */
  readonly translate: (item: Readonly<Record<string, unknown>>) => Translation;
  /**
   * An error in the form and with the status after which a client of the protocol does what is right. Undefined for problem
   * documents.
   */
  readonly renderError?: RenderError;
}

/** @param request undefined where an error is only described, in the documentation */
export type RenderError = (error: DomainError, request?: FastifyRequest) => RenderedError;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The protocol of a route; undefined for The Eye's own. */
    dialect?: Dialect;
  }
  interface FastifyRequest {
    /** Of a dialect, once its body was opened. */
    message: Message | undefined;
  }
}
