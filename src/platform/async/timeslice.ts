import { yieldToEventLoop } from './yield-to-event-loop.js';

/** Milliseconds of synchronous work before other requests and the replies of Redis and PostgreSQL get a turn. */
const TIMESLICE_MS = 5;

/**
 * Divides long work on a request into slices. Each step of the work must be short, since only the time between steps is
 * looked at.
 *
 * @example if (slice.isOver) await slice.next();
 */
export class Timeslice {
  private startedAt = performance.now();
  private earlierMs = 0;

  /** Milliseconds of work, without the pauses between the slices. */
  get workedMs(): number {
    return this.earlierMs + performance.now() - this.startedAt;
  }

  get isOver(): boolean {
    return performance.now() - this.startedAt >= TIMESLICE_MS;
  }

  /** Yields to the event loop. */
  async next(): Promise<void> {
    this.earlierMs = this.workedMs;
    await yieldToEventLoop();
    this.startedAt = performance.now();
  }
}
