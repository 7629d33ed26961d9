import { setTimeout as wait } from 'node:timers/promises';
import type { EventStream } from './redis-stream.js';
import { RingBuffer } from './ring-buffer.js';

/** Milliseconds between two looks for new events. */
const INTERVAL = 100;

/** Milliseconds between two looks while Redis is away. */
const PAUSE = 500;

/** Follows the log for all viewers of a process together, from when the first one comes until the last one has gone. */
export class StreamReader {
  readonly recent = new RingBuffer();
  /** False while Redis does not tell what is new. */
  following = false;
  private place = '0-0';
  private closed = false;

  /** @param onNews is called whenever there is something new */
  private constructor(
    private readonly log: EventStream,
    private readonly onNews: () => void,
  ) {}

  /** @throws Error where Redis is away */
  static async open(log: EventStream, onNews: () => void): Promise<StreamReader> {
    const feed = new StreamReader(log, onNews);
    await log.announceSubscriber();
    await feed.catchUp();
    feed.following = true;
    void feed.follow();
    return feed;
  }

  close(): void {
    this.closed = true;
  }

  private async follow(): Promise<void> {
    while (!this.closed) {
      await wait(this.following ? INTERVAL : PAUSE);
      try {
        if (await this.catchUp()) this.onNews();
        this.following = true;
      } catch {
        this.following = false;
      }
    }
  }

  /** @returns whether there was anything */
  private async catchUp(): Promise<boolean> {
    const { end } = this.recent;
    for (;;) {
      const { entries, whole } = await this.log.read(this.place);
      if (!whole) this.recent.addGap();
      this.recent.add(entries);
      this.place = entries.at(-1)?.id ?? (whole ? this.place : '0-0');
      if (entries.length === 0) return this.recent.end > end;
    }
  }
}
