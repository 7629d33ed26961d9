import { Injectable } from '@nestjs/common';
import { ReplyError } from 'ioredis';
import { environment } from '../platform/config/environment.js';
import { RedisUnavailableError } from '../platform/redis/redis-errors.js';
import { RedisHealth } from '../platform/redis/redis-health.js';
import { metrics } from '../platform/telemetry/metrics.js';
import { currentTraceparent, traced } from '../platform/telemetry/tracing.js';
import { Backlog } from './backlog.js';
import { Batcher } from './batcher.js';
import type { Entry } from './entry.js';
import { IngestionBuffer } from './ingestion-buffer.js';
import { BacklogFullError } from './queue-errors.js';
import { batchCost, MAX_BATCH_SIZE } from './queue.constants.js';

/** Traces that an entry names at most, although it may hold the items of a thousand requests. */
const MAX_TRACES = 32;

const UNAVAILABLE = 'Redis is not available right now; nothing was accepted.';
const REFUSED = 'Redis refused the events; nothing was accepted.';
const UNCONFIRMED =
  'Redis did not confirm in time, so the events may have been accepted. Send them again: events with timestamps are stored once.';

/**
 * Characters of a call that is committed beside the others. Redis takes milliseconds for each megabyte, for which the calls of
 * the same batch, and those that wait for it, would pay.
 */
const LARGE_CALL_LENGTH = 128 * 1024;

/** The items of one call of `add`, and the span that made it. */
interface TracedItems {
  readonly texts: readonly string[];
  readonly cost: number;
  readonly isAwaited: boolean;
  readonly traceparent: string | undefined;
}

/**
 * Puts items into the buffer by group commit: while Redis writes and fsyncs one batch, concurrent calls wait together for the
 * next.
 */
@Injectable()
export class Producer {
  private readonly batcher = this.newBatcher(false);
  private readonly largeBatcher = this.newBatcher(true);

  constructor(
    private readonly buffer: IngestionBuffer,
    private readonly backlog: Backlog,
    private readonly redis: RedisHealth,
  ) {}

  /**
   * Resolves once all items are in Redis and, if Redis is durable, on its disk. Either all items are queued or none.
   * @param texts of the items in JSON
   * @param isAwaited whether the sender waits until they are stored
   * @throws RedisUnavailableError within REDIS_TIMEOUT; its message says whether the outcome is unknown
   * @throws BacklogFullError
   */
  async add(texts: readonly string[], isAwaited = false): Promise<void> {
    if (!this.redis.writable) throw new RedisUnavailableError(UNAVAILABLE);
    if (this.backlog.full) throw new BacklogFullError();
    const length = texts.reduce((sum, text) => sum + text.length, 0);
    const cost = batchCost(texts.length, length);
    await traced('queue events', { kind: 'producer' }, () =>
      (length > LARGE_CALL_LENGTH ? this.largeBatcher : this.batcher).add({
        texts,
        cost,
        isAwaited,
        traceparent: currentTraceparent(),
      }),
    );
  }

  private newBatcher(isLarge: boolean): Batcher<TracedItems> {
    return new Batcher<TracedItems>({
      commit: (calls) => this.commit(calls, isLarge),
      cost: ({ cost }) => cost,
      maxCost: MAX_BATCH_SIZE,
      maxConcurrent: 2,
      timeout: { afterMs: environment.REDIS_TIMEOUT, error: (inFlight) => this.timeoutError(inFlight) },
    });
  }

  private timeoutError(inFlight: boolean): RedisUnavailableError {
    this.redis.trip();
    return new RedisUnavailableError(inFlight ? UNCONFIRMED : UNAVAILABLE);
  }

  private async commit(calls: TracedItems[], isLarge: boolean): Promise<void> {
    // The connection may have been lost while the calls waited. The next one is used only once it leads to a primary.
    if (!this.redis.writable) throw new RedisUnavailableError(UNAVAILABLE);
    const items = calls.flatMap(({ texts }) => texts);
    const traces = calls.flatMap(({ traceparent }) => traceparent ?? []).slice(0, MAX_TRACES);
    const isAwaited = calls.some((call) => call.isAwaited);
    const acceptedAt = Date.now();
    const entries: Entry[] = [];
    for (let start = 0; start < items.length; start += MAX_BATCH_SIZE) {
      const texts = items.slice(start, start + MAX_BATCH_SIZE);
      entries.push({ items: texts.length, acceptedAt, isAwaited, traces, text: texts.join(',') });
    }
    try {
      this.backlog.note(await this.buffer.append(entries, items.length, isLarge));
    } catch (error) {
      throw new RedisUnavailableError(error instanceof ReplyError ? REFUSED : UNCONFIRMED, { cause: error });
    }
    metrics.accepted(items.length);
  }
}
