import { Readable } from 'node:stream';
import type { EventFilter } from '../../platform/model/event.js';
import { type RingBuffer, skippedMessage } from './ring-buffer.js';
import { matches } from './stream-filter.js';

/** Milliseconds that an `EventSource` waits before it reconnects. */
const RECONNECT_DELAY_MS = 2000;

/** What a subscriber asked for. */
export interface Subscription {
  filter: EventFilter;
  /** Id of the last event that a subscriber received before it was disconnected. */
  lastEventId?: string;
  /** Whether the key of the subscriber still allows reading. */
  isAuthorized: () => Promise<boolean>;
}

/**
 * The response to one subscriber, as server-sent events. It holds a position in the ring buffer and advances as fast as
 * the subscriber reads. A slow subscriber lags behind; when messages leave the buffer before they are sent, it receives
 * their number instead.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export class SseSubscriber extends Readable {
  private position: number;
  private blockedSince: number | undefined;
  private ended = false;

  constructor(
    private readonly buffer: RingBuffer,
    readonly subscription: Subscription,
  ) {
    super();
    const { lastEventId } = subscription;
    const { position, complete } =
      lastEventId === undefined
        ? { position: buffer.end, complete: true }
        : buffer.positionAfter(lastEventId);
    this.position = position;
    const cursor = lastEventId === undefined ? this.cursor : '';
    this.send(Buffer.from(`: watching\nretry: ${RECONNECT_DELAY_MS}\n${cursor}\n`));
    if (!complete) this.send(skippedMessage(null));
  }

  /** Milliseconds since the subscriber stopped reading; 0 while it reads. */
  get stalledMs(): number {
    return this.blockedSince === undefined ? 0 : Date.now() - this.blockedSince;
  }

  /** Sends the messages from its position on, until the subscriber reads no more. */
  flush(): void {
    const { buffer } = this;
    while (this.isWritable && this.position < buffer.end) {
      const missed = buffer.start - this.position;
      if (missed > 0) {
        this.position = buffer.start;
        this.send(skippedMessage(missed));
        continue;
      }
      const { fields, bytes } = buffer.at(this.position++);
      if (fields === undefined || matches(this.subscription.filter, fields)) this.send(bytes);
    }
  }

  /** Also advances the last event id past events that the filter excludes, so that they are not read again. */
  sendHeartbeat(): void {
    if (this.isWritable) this.send(Buffer.from(`: alive\n${this.cursor}\n`));
  }

  /** Ends the response after what was sent. */
  end(): void {
    this.ended = true;
    this.push(null);
  }

  override _read(): void {
    this.blockedSince = undefined;
    this.flush();
  }

  /** The `id` line from which to resume; empty until everything in the buffer is sent. */
  private get cursor(): string {
    const { lastId, end } = this.buffer;
    return this.position === end && lastId !== undefined ? `id: ${lastId}\n` : '';
  }

  private get isWritable(): boolean {
    return this.blockedSince === undefined && !this.ended && !this.destroyed;
  }

  private send(bytes: Buffer): void {
    if (!this.push(bytes)) this.blockedSince ??= Date.now();
  }
}
