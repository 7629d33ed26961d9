import type { Quota } from './caller.js';

/** Bytes of a body that cost as much as one event. */
const BYTES_PER_POINT = 4096;

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined if the caller has no quota. */
    points: RequestPoints | undefined;
  }
}

/**
 * The points that one request takes of its key's quota: one for each event or for each BYTES_PER_POINT of its body, whichever
 * is more, and at least one. They are taken as soon as they are known, before the work that they pay for.
 */
export class RequestPoints {
  private taken = 0;

  constructor(private readonly quota: Quota) {}

  /**
   * Takes the points of so many events or bytes, without those that the request has taken already.
   * @returns undefined if this process had them reserved
   * @throws DomainError `rate_limited`, synchronously or by rejecting
   */
  take({ events = 1, bytes = 0 }: { events?: number; bytes?: number }): Promise<void> | undefined {
    const points = Math.max(events, Math.ceil(bytes / BYTES_PER_POINT));
    if (points <= this.taken) return undefined;
    const pending = this.quota.take(points - this.taken);
    if (pending) return pending.then(() => void (this.taken = points));
    this.taken = points;
    return undefined;
  }
}
