import { isAfter, MAX_STREAM_BYTES, MAX_STREAM_EVENTS, type StreamEntry } from './redis-stream.js';
import type { FilterFields } from './stream-filter.js';

/** A server-sent event in the buffer. */
export interface BufferedMessage {
  readonly id: string;
  /** What is sent, encoded once for all subscribers. */
  readonly bytes: Buffer;
  /** True when an unknown number of events is missing after the event with this id. */
  readonly isGap?: boolean;
  /** The fields that filters read; undefined for a message that every subscriber receives. */
  readonly fields?: FilterFields;
}

/**
 * The newest messages, in memory once for all subscribers of a process; a subscriber holds only its position. Positions
 * count the messages that were ever added, from 0.
 */
export class RingBuffer {
  private messages: BufferedMessage[] = [];
  private bytes = 0;
  /** The position of the oldest message that is left. */
  start = 0;

  /** The position of the next message to be added. */
  get end(): number {
    return this.start + this.messages.length;
  }

  /** The id of the newest message; undefined while the buffer is empty. */
  get lastId(): string | undefined {
    return this.messages.at(-1)?.id;
  }

  /** @param position from `start`, and below `end` */
  at(position: number): BufferedMessage {
    return this.messages[position - this.start] as BufferedMessage;
  }

  /**
   * The position of the first message after the event with an id.
   * @returns `complete` is false when messages after that event have left the buffer
   */
  positionAfter(lastId: string): { position: number; complete: boolean } {
    const index = this.messages.findIndex(
      ({ id, isGap }) => isAfter(id, lastId) || (isGap === true && id === lastId),
    );
    const [oldest] = this.messages;
    return {
      position: index === -1 ? this.end : this.start + index,
      complete: oldest !== undefined && !isAfter(oldest.id, lastId),
    };
  }

  add(entries: StreamEntry[]): void {
    for (const entry of entries) this.append(toMessage(entry));
  }

  /** Records that an unknown number of events was missed. */
  addGap(): void {
    this.append({ id: this.lastId ?? '0-0', bytes: skippedMessage(null), isGap: true });
  }

  private append(message: BufferedMessage): void {
    this.messages.push(message);
    this.bytes += message.bytes.length;
    while (this.messages.length > MAX_STREAM_EVENTS || this.bytes > MAX_STREAM_BYTES) {
      this.bytes -= this.messages.shift()?.bytes.length ?? 0;
      this.start++;
    }
  }
}

/** @param count number of skipped events; null when it is unknown */
export function skippedMessage(count: number | null, id?: string): Buffer {
  return Buffer.from(
    `${id === undefined ? '' : `id: ${id}\n`}event: skipped\ndata: ${JSON.stringify({ count })}\n\n`,
  );
}

function toMessage({ id, fields: { event, left_out: leftOut, ...fields } }: StreamEntry): BufferedMessage {
  if (leftOut === '0') return { id, bytes: Buffer.from(`id: ${id}\n\n`) };
  if (leftOut !== undefined) return { id, bytes: skippedMessage(Number(leftOut), id) };
  return { id, bytes: Buffer.from(`id: ${id}\nevent: event\ndata: ${event}\n\n`), fields };
}
