import { setTimeout as wait } from 'node:timers/promises';
import type { LiveLog } from './live-log.js';
import { RecentEvents } from './recent-events.js';

/** Milliseconds between two looks for new events. */
const INTERVAL = 100;

/** Milliseconds between two looks while Redis is away. */
const PAUSE = 500;

/** Follows the log for all viewers of a process together, from when the first one comes until the last one has gone. */
export class LiveFeed {
  readonly recent = new RecentEvents();
  /** False while Redis does not tell what is new. */
  following = false;
  private place = '0-0';
  private closed = false;

  /** @param onNews is called whenever there is something new */
  private constructor(
    private readonly log: LiveLog,
    private readonly onNews: () => void,
  ) {}

  /** @throws Error where Redis is away */
  static async open(log: LiveLog, onNews: () => void): Promise<LiveFeed> {
    const feed = new LiveFeed(log, onNews);
    await log.watch();
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
