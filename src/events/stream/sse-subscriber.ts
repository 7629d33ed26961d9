import { Readable } from 'node:stream';
import type { StreamFilter } from './stream-filter.js';
import { matches, type RingBuffer, skipped } from './ring-buffer.js';

/** Milliseconds after which a viewer's program asks again when it was cut off. */
const RETRY = 2000;

/** What a viewer asked for. */
export interface Subscription {
  filter: StreamFilter;
  /** Where he was cut off; undefined for a new viewer. */
  after?: string;
  /** Whether he still may watch. */
  mayWatch: () => Promise<boolean>;
}

/**
 * What one viewer is sent, as server-sent events. It holds a place among the recent events and goes on from there as
 * fast as the viewer reads: one who is slow lags behind, and is told how many he missed once they have gone by.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export class SseSubscriber extends Readable {
  private next: number;
  private fullSince: number | undefined;
  private finished = false;

  constructor(
    private readonly recent: RingBuffer,
    readonly watch: Subscription,
  ) {
    super();
    const { number, whole } =
      watch.after === undefined ? { number: recent.end, whole: true } : recent.after(watch.after);
    this.next = number;
    this.send(Buffer.from(`: watching\nretry: ${RETRY}\n${watch.after === undefined ? this.place : ''}\n`));
    if (!whole) this.send(skipped(null));
  }

  /** Milliseconds since the viewer last read, where there is something to read. */
  get stalled(): number {
    return this.fullSince === undefined ? 0 : Date.now() - this.fullSince;
  }

  /** Sends what there is. */
  wake(): void {
    const { recent } = this;
    while (this.open && this.next < recent.end) {
      const missed = recent.start - this.next;
      if (missed > 0) {
        this.next = recent.start;
        this.send(skipped(missed));
        continue;
      }
      const event = recent.at(this.next++);
      if (matches(this.watch.filter, event)) this.send(event.bytes);
    }
  }

  /** Shows that all is well, and to where: what a viewer's filter left out, he need not ask for again. */
  beat(): void {
    if (this.open) this.send(Buffer.from(`: alive\n${this.place}\n`));
  }

  /** Ends it in order. */
  finish(): void {
    this.finished = true;
    this.push(null);
  }

  override _read(): void {
    this.fullSince = undefined;
    this.wake();
  }

  /** A line that says from where to go on, once all was sent. */
  private get place(): string {
    const { place, end } = this.recent;
    return this.next === end && place !== undefined ? `id: ${place}\n` : '';
  }

  private get open(): boolean {
    return this.fullSince === undefined && !this.finished && !this.destroyed;
  }

  private send(bytes: Buffer): void {
    if (!this.push(bytes)) this.fullSince ??= Date.now();
  }
}
