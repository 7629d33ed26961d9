import { Injectable, type OnModuleInit } from '@nestjs/common';
import { RedisStream } from './redis-stream.js';
import type { StoredEvent } from '../../platform/model/event.js';

/** Events that a worker publishes; it only counts the others. */
const MAX_EVENTS_PER_SECOND = 1000;

/** Characters of JSON text that these events may have. */
const MAX_CHARACTERS_PER_SECOND = 1024 * 1024;

/** Milliseconds from one write to the next: Redis fsyncs each of them. */
const WRITE_INTERVAL_MS = 200;

/**
 * Publishes the events that a worker has stored to the Redis stream. Without subscribers it costs nothing; with them, a
 * bounded number of writes and events a second, however many events are stored.
 */
@Injectable()
export class StreamPublisher implements OnModuleInit {
  /** Stays true after the last subscriber has left until the next write. */
  hasSubscribers = false;
  /** How often a subscriber was announced. */
  private announcements = 0;
  private pending: { event: StoredEvent; text: string }[] = [];
  /** Stored events that are not published. */
  private leftOut = 0;
  private second = 0;
  private eventsThisSecond = 0;
  private charactersThisSecond = 0;
  private timer: NodeJS.Timeout | undefined;
  private lastWriteAt = 0;

  constructor(private readonly stream: RedisStream) {}

  onModuleInit(): void {
    this.stream.onSubscriber(() => {
      this.hasSubscribers = true;
      this.announcements++;
    });
  }

  /**
   * Queues events for the next write and returns at once.
   * @param batch text of a JSON array of events, which may have further fields
   * @param ids of the events in the batch that are new
   */
  publish(batch: string, ids: string[]): void {
    if (!this.hasSubscribers || ids.length === 0) return;
    const before = this.pending.length;
    if (this.hasCapacity()) this.add(JSON.parse(batch) as StoredEvent[], new Set(ids));
    this.leftOut += ids.length - (this.pending.length - before);
    this.timer ??= this.writeAfter(this.lastWriteAt + WRITE_INTERVAL_MS - Date.now());
  }

  /** Writes the queued events before the process stops. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    if (this.hasPending) await this.write();
    clearTimeout(this.timer);
  }

  private get hasPending(): boolean {
    return this.pending.length + this.leftOut > 0;
  }

  private add(events: StoredEvent[], newIds: Set<string>): void {
    for (const { id, application, session_id, category, name, data, timestamp } of events) {
      if (!newIds.delete(id)) continue;
      const event = { id, application, session_id, category, name, data, timestamp };
      const text = JSON.stringify(event);
      if (this.charactersThisSecond + text.length > MAX_CHARACTERS_PER_SECOND) continue;
      this.pending.push({ event, text });
      this.charactersThisSecond += text.length;
      if (++this.eventsThisSecond >= MAX_EVENTS_PER_SECOND) return;
    }
  }

  private hasCapacity(): boolean {
    const second = Math.floor(Date.now() / 1000);
    if (second !== this.second) this.eventsThisSecond = this.charactersThisSecond = 0;
    this.second = second;
    return this.eventsThisSecond < MAX_EVENTS_PER_SECOND;
  }

  private writeAfter(delayMs: number): NodeJS.Timeout {
    return setTimeout(() => void this.write(), delayMs).unref();
  }

  private async write(): Promise<void> {
    const { pending, leftOut, announcements } = this;
    this.pending = [];
    this.leftOut = 0;
    try {
      const appended = await this.stream.append(pending, leftOut);
      // A subscriber may have been announced after Redis replied.
      if (!appended && announcements === this.announcements) this.hasSubscribers = false;
    } catch {
      this.leftOut += leftOut + pending.length;
    } finally {
      this.lastWriteAt = Date.now();
      this.timer = this.hasPending ? this.writeAfter(WRITE_INTERVAL_MS) : undefined;
    }
  }
}
