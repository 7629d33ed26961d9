import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { Readable } from 'node:stream';
import { QueueUnavailableError } from '../../queue/queue-errors.js';
import { RedisHealth } from '../../platform/redis/redis-health.js';
import { StreamReader } from './stream-reader.js';
import { EventStream } from './redis-stream.js';
import { SseSubscriber, type Subscription } from './sse-subscriber.js';

/** Viewers of a process. */
export const MAX_SUBSCRIBERS = 1000;

/** Milliseconds between two heartbeats. */
export const HEARTBEAT = 5000;

/** Milliseconds after which a viewer who reads nothing is cut off. */
const PATIENCE = 60_000;

/** Milliseconds that a viewer has to take his leave when the process stops. */
const FAREWELL = 1000;

/** This process has as many viewers as it may. */
export class TooManySubscribersError extends Error {}

/** Shows stored events to those who watch. */
@Injectable()
export class StreamService implements OnModuleDestroy {
  private readonly viewers = new Set<SseSubscriber>();
  private opening: Promise<StreamReader> | undefined;
  private stopping = false;

  constructor(
    private readonly log: EventStream,
    private readonly redis: RedisHealth,
  ) {}

  /**
   * What is stored from now on, or from where a viewer was cut off, as server-sent events.
   * @throws QueueUnavailableError, TooManyViewersError
   */
  async subscribe(watch: Subscription): Promise<Readable> {
    const feed = await this.feed();
    if (this.stopping || !feed?.following)
      throw new QueueUnavailableError('Redis is not available right now, so there is nothing to watch.');
    if (this.viewers.size >= MAX_SUBSCRIBERS) throw new TooManySubscribersError();
    const viewer = new SseSubscriber(feed.recent, watch);
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

  private async feed(): Promise<StreamReader | undefined> {
    if (!this.redis.available) return undefined;
    this.opening ??= this.open();
    try {
      return await this.opening;
    } catch {
      return undefined;
    }
  }

  private async open(): Promise<StreamReader> {
    try {
      const feed = await StreamReader.open(this.log, () => {
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
  private async beat(feed: StreamReader): Promise<void> {
    const alive = await this.log.announceSubscriber().then(
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
