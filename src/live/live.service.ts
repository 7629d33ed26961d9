import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { Readable } from 'node:stream';
import { QueueUnavailableError } from '../queue/queue-errors.js';
import { RedisHealth } from '../queue/redis-health.js';
import { LiveFeed } from './live-feed.js';
import { LiveLog } from './live-log.js';
import { Viewer, type Watch } from './viewer.js';

/** Viewers of a process. */
export const MOST_VIEWERS = 1000;

/** Milliseconds between two heartbeats. */
export const HEARTBEAT = 5000;

/** Milliseconds after which a viewer who reads nothing is cut off. */
const PATIENCE = 60_000;

/** Milliseconds that a viewer has to take his leave when the process stops. */
const FAREWELL = 1000;

/** This process has as many viewers as it may. */
export class TooManyViewersError extends Error {}

/** Shows stored events to those who watch. */
@Injectable()
export class LiveService implements OnModuleDestroy {
  private readonly viewers = new Set<Viewer>();
  private opening: Promise<LiveFeed> | undefined;
  private stopping = false;

  constructor(
    private readonly log: LiveLog,
    private readonly redis: RedisHealth,
  ) {}

  /**
   * What is stored from now on, or from where a viewer was cut off, as server-sent events.
   * @throws QueueUnavailableError, TooManyViewersError
   */
  async watch(watch: Watch): Promise<Readable> {
    const feed = await this.feed();
    if (this.stopping || !feed?.following)
      throw new QueueUnavailableError('Redis is not available right now, so there is nothing to watch.');
    if (this.viewers.size >= MOST_VIEWERS) throw new TooManyViewersError();
    const viewer = new Viewer(feed.recent, watch);
    this.viewers.add(viewer);
    viewer.once('close', () => this.viewers.delete(viewer));
    return viewer;
  }

  onModuleDestroy(): void {
    this.stopping = true;
    for (const viewer of this.viewers) {
      viewer.finish();
      setTimeout(() => viewer.destroy(), FAREWELL).unref();
    }
  }

  private async feed(): Promise<LiveFeed | undefined> {
    if (!this.redis.available) return undefined;
    this.opening ??= this.open();
    try {
      return await this.opening;
    } catch {
      return undefined;
    }
  }

  private async open(): Promise<LiveFeed> {
    try {
      const feed = await LiveFeed.open(this.log, () => {
        for (const viewer of this.viewers) viewer.wake();
      });
      const beat = setInterval(() => {
        if (this.viewers.size > 0) return void this.beat(feed);
        // Whoever comes next opens another.
        clearInterval(beat);
        feed.close();
        this.opening = undefined;
      }, HEARTBEAT).unref();
      return feed;
    } catch (error) {
      this.opening = undefined;
      throw error;
    }
  }

  /** A heartbeat says that news would come: while Redis is away, there is none. */
  private async beat(feed: LiveFeed): Promise<void> {
    const alive = await this.log.watch().then(
      () => feed.following,
      () => false,
    );
    for (const viewer of this.viewers) {
      if (viewer.stalled > PATIENCE) viewer.destroy();
      else if (alive) viewer.beat();
      viewer.watch.mayWatch().then(
        (may) => may || viewer.finish(),
        // Nobody knows right now.
        () => undefined,
      );
    }
  }
}
