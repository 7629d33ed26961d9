import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { Readable } from 'node:stream';
import { PeriodicTask } from '../../platform/async/periodic-task.js';
import { UnavailableError } from '../../platform/errors/domain-error.js';
import { Bulkhead, BulkheadFullError, type Release } from '../../platform/questions/bulkhead.js';
import { shareFull } from '../../platform/questions/questions.js';
import { RedisHealth } from '../../platform/redis/redis-health.js';
import { RedisUnavailableError } from '../../platform/redis/redis-errors.js';
import { RedisStream } from './redis-stream.js';
import { SseSubscriber, type Subscription } from './sse-subscriber.js';
import { StreamReader } from './stream-reader.js';

/** Subscribers of a process, in all and with one key. */
const MAX_SUBSCRIBERS = 1000;
const MAX_SUBSCRIBERS_PER_KEY = MAX_SUBSCRIBERS / 2;

const RETRY_AFTER_SECONDS = 10;

const HEARTBEAT_INTERVAL_MS = 5000;

/** Milliseconds after which a subscriber that reads nothing is disconnected. */
const STALL_TIMEOUT_MS = 60_000;

/** Milliseconds that a response may take to end when the process stops. */
const CLOSE_GRACE_MS = 1000;

/** This process has MAX_SUBSCRIBERS already. */
export class TooManySubscribersError extends UnavailableError {
  constructor() {
    super(
      'too_many_viewers',
      `This process has ${MAX_SUBSCRIBERS.toLocaleString('en')} subscribers and accepts no more.`,
      { retryAfterSeconds: RETRY_AFTER_SECONDS },
    );
  }
}

/** Serves the subscribers of this process from one stream reader, which is open only while there are any. */
@Injectable()
export class StreamService implements OnModuleDestroy {
  private readonly subscribers = new Set<SseSubscriber>();
  private readonly slots = new Bulkhead({
    slots: MAX_SUBSCRIBERS,
    slotsPerKey: MAX_SUBSCRIBERS_PER_KEY,
    maxWaiting: 0,
    maxWaitingPerKey: 0,
    timeoutMs: 0,
  });
  /** The reader that all subscribers share. */
  private reader: Promise<StreamReader | undefined> | undefined;
  private stopping = false;

  constructor(
    private readonly stream: RedisStream,
    private readonly redis: RedisHealth,
  ) {}

  /**
   * The events that are stored from now on, or after the last event that the subscriber received, as server-sent events.
   * @param keyId of the subscriber; undefined without a key
   * @throws RedisUnavailableError, TooManySubscribersError, DomainError `rate_limited` if the key has its share already
   */
  async subscribe(subscription: Subscription, keyId?: string): Promise<Readable> {
    const reader = this.redis.available ? await (this.reader ??= this.openReader()) : undefined;
    if (this.stopping || !reader?.connected)
      throw new RedisUnavailableError(
        'Redis is not available right now, so there is no stream to read from.',
      );
    const release = await this.takeSlot(keyId);
    const subscriber = new SseSubscriber(reader.buffer, subscription);
    this.subscribers.add(subscriber);
    subscriber.once('close', () => {
      this.subscribers.delete(subscriber);
      release();
    });
    return subscriber;
  }

  onModuleDestroy(): void {
    this.stopping = true;
    for (const subscriber of this.subscribers) {
      subscriber.end();
      setTimeout(() => subscriber.destroy(), CLOSE_GRACE_MS).unref();
    }
  }

  private async takeSlot(keyId: string | undefined): Promise<Release> {
    try {
      return await this.slots.enter({ key: keyId });
    } catch (error) {
      if (!(error instanceof BulkheadFullError)) throw error;
      if (error.reason === 'queue') throw new TooManySubscribersError();
      throw shareFull(
        `This key has ${MAX_SUBSCRIBERS_PER_KEY} subscribers in this process, which is its share.`,
        {
          retryAfterSeconds: RETRY_AFTER_SECONDS,
        },
      );
    }
  }

  /** @returns undefined when Redis is away */
  private async openReader(): Promise<StreamReader | undefined> {
    try {
      const reader = await StreamReader.open(this.stream, () => this.flush());
      this.startHeartbeat(reader);
      return reader;
    } catch {
      this.reader = undefined;
      return undefined;
    }
  }

  private flush(): void {
    for (const subscriber of this.subscribers) subscriber.flush();
  }

  private startHeartbeat(reader: StreamReader): void {
    const heartbeat = new PeriodicTask({
      name: 'send heartbeats to the subscribers',
      intervalMs: HEARTBEAT_INTERVAL_MS,
      run: async () => {
        if (this.subscribers.size > 0) return this.sendHeartbeats(reader);
        // The next subscriber opens another reader.
        void heartbeat.stop();
        reader.close();
        this.reader = undefined;
      },
    });
    heartbeat.start(HEARTBEAT_INTERVAL_MS);
  }

  /** A heartbeat promises that new events would arrive, so none is sent while Redis is away. */
  private async sendHeartbeats(reader: StreamReader): Promise<void> {
    const connected = await this.stream.announceSubscriber().then(
      () => reader.connected,
      () => false,
    );
    for (const subscriber of this.subscribers) {
      if (subscriber.stalledMs > STALL_TIMEOUT_MS) subscriber.destroy();
      else if (connected) subscriber.sendHeartbeat();
      subscriber.subscription.isAuthorized().then(
        (authorized) => authorized || subscriber.end(),
        // The key cannot be checked while PostgreSQL is away; the next heartbeat checks it again.
        () => undefined,
      );
    }
  }
}
