import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { StreamedEvent } from './stream-filter.js';
import { EventStream } from './redis-stream.js';

/** Events of a second that a worker shows; the others are counted. */
const RATE = 1000;

/** Milliseconds between two writes: each is fsynced, as everything in this Redis is. */
const INTERVAL = 200;

/** Characters of these. */
const VOLUME = 1024 * 1024;

/**
 * Shows what a worker has stored to those who watch. While nobody does, it costs nothing; while somebody does, no more
 * than a few writes of a few events a second, however many are stored.
 */
@Injectable()
export class StreamPublisher implements OnModuleInit {
  /** True while somebody watches, and until the first event after that. */
  hasSubscribers = false;
  /** How often somebody said that he watches. */
  private calls = 0;
  private shown: { event: StreamedEvent; text: string }[] = [];
  private leftOut = 0;
  /** Events shown of the present second, and their characters. */
  private taken = 0;
  private volume = 0;
  private second = 0;
  private timer: NodeJS.Timeout | undefined;
  private written = 0;

  constructor(private readonly log: EventStream) {}

  onModuleInit(): void {
    this.log.onSubscriber(() => {
      this.hasSubscribers = true;
      this.calls++;
    });
  }

  /**
   * Returns at once; what cannot be shown is counted.
   * @param batch text of a JSON array of events, with fields of their own beside those that are shown
   * @param ids of those events in it that are new
   */
  publish(batch: string, ids: string[]): void {
    if (!this.hasSubscribers || ids.length === 0) return;
    const before = this.shown.length;
    if (this.room() > 0) this.take(JSON.parse(batch) as StreamedEvent[], new Set(ids));
    this.leftOut += ids.length - (this.shown.length - before);
    this.timer ??= setTimeout(() => void this.write(), this.written + INTERVAL - Date.now()).unref();
  }

  /** Writes what waits, before the process stops. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    if (this.shown.length + this.leftOut > 0) await this.write();
    clearTimeout(this.timer);
  }

  private take(events: StreamedEvent[], fresh: Set<string>): void {
    for (const { id, application, session_id, category, name, data, timestamp } of events) {
      if (!fresh.delete(id)) continue;
      const event = { id, application, session_id, category, name, data, timestamp };
      const text = JSON.stringify(event);
      if (this.volume + text.length > VOLUME) continue;
      this.shown.push({ event, text });
      this.volume += text.length;
      if (++this.taken >= RATE) return;
    }
  }

  private room(): number {
    const second = Math.floor(Date.now() / 1000);
    if (second !== this.second) this.taken = this.volume = 0;
    this.second = second;
    return RATE - this.taken;
  }

  private async write(): Promise<void> {
    const { shown, leftOut, calls } = this;
    this.shown = [];
    this.leftOut = 0;
    try {
      const watched = await this.log.append(shown, leftOut);
      // Somebody may have come since Redis looked.
      if (!watched && calls === this.calls) this.hasSubscribers = false;
    } catch {
      this.leftOut += leftOut + shown.length;
    } finally {
      this.written = Date.now();
      this.timer = undefined;
      if (this.shown.length + this.leftOut > 0)
        this.timer = setTimeout(() => void this.write(), INTERVAL).unref();
    }
  }
}
