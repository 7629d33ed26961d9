import { EQUAL, type FILTERED, type StreamFilter } from './stream-filter.js';
import { MAX_STREAM_EVENTS, isLater, type StreamEntry, MAX_STREAM_BYTES } from './redis-stream.js';

/** Something to send to viewers. */
export interface BufferedEvent {
  readonly id: string;
  /** As it is sent, made once for all viewers. */
  readonly bytes: Buffer;
  /** Here some have gone by, after the event of this id. */
  readonly isGap?: boolean;
  /** Undefined for what everybody is told. */
  readonly filtered?: Partial<Record<(typeof FILTERED)[number], string>>;
}

/**
 * The newest events, once for all viewers of a process: each of them only has a place among them. They are numbered as
 * they come.
 */
export class RingBuffer {
  private events: BufferedEvent[] = [];
  private bytes = 0;
  /** The number of the oldest one that is left. */
  start = 0;

  /** The number that the next one will have. */
  get end(): number {
    return this.start + this.events.length;
  }

  /** The place of the newest one; undefined where there is none. */
  get place(): string | undefined {
    return this.events.at(-1)?.id;
  }

  /** @param number from `start`, and below `end` */
  at(number: number): BufferedEvent {
    return this.events[number - this.start] as BufferedEvent;
  }

  /**
   * The number of the first one after a place.
   * @returns also whether all that came after the place are there
   */
  after(place: string): { number: number; whole: boolean } {
    const later = this.events.findIndex(
      ({ id, isGap }) => isLater(id, place) || (isGap === true && id === place),
    );
    const [oldest] = this.events;
    return {
      number: later === -1 ? this.end : this.start + later,
      whole: oldest !== undefined && !isLater(oldest.id, place),
    };
  }

  add(entries: StreamEntry[]): void {
    for (const entry of entries) this.append(toRecentEvent(entry));
  }

  /** Some have gone by, nobody knows how many. */
  addGap(): void {
    this.append({ id: this.place ?? '0-0', bytes: skipped(null), isGap: true });
  }

  private append(event: BufferedEvent): void {
    this.events.push(event);
    this.bytes += event.bytes.length;
    while (this.events.length > MAX_STREAM_EVENTS || this.bytes > MAX_STREAM_BYTES) {
      this.bytes -= this.events.shift()?.bytes.length ?? 0;
      this.start++;
    }
  }
}

/** @param count null where it is not known */
export function skipped(count: number | null, id?: string): Buffer {
  return Buffer.from(
    `${id === undefined ? '' : `id: ${id}\n`}event: skipped\ndata: ${JSON.stringify({ count })}\n\n`,
  );
}

export function matches(filter: StreamFilter, event: BufferedEvent): boolean {
  const { filtered } = event;
  if (filtered === undefined) return true;
  const { timestamp_after: after, timestamp_before: before } = filter;
  // In their canonical form, the texts of timestamps are in the order of time.
  const { timestamp = '' } = filtered;
  if (after !== undefined && timestamp < after) return false;
  if (before !== undefined && timestamp > before) return false;
  return EQUAL.every((name) => filter[name] === undefined || filter[name] === filtered[name]);
}

function toRecentEvent({ id, fields }: StreamEntry): BufferedEvent {
  const { event, left_out: leftOut, ...filtered } = fields;
  if (leftOut === '0') return { id, bytes: Buffer.from(`id: ${id}\n\n`) };
  if (leftOut !== undefined) return { id, bytes: skipped(Number(leftOut), id) };
  return { id, bytes: Buffer.from(`id: ${id}\nevent: event\ndata: ${event}\n\n`), filtered };
}
