import { DomainError } from '../platform/errors/domain-error.js';

/** The response is the same for a missing, an unknown and a revoked key, so that it gives no hint. */
export const unauthorized = (): DomainError =>
  new DomainError('unauthenticated', 'unauthorized', 'Present a valid key: `Authorization: Bearer <key>`.');

export const forbidden = (): DomainError =>
  new DomainError('forbidden', 'forbidden', 'This key may not do that.');

export const originNotAllowed = (): DomainError =>
  new DomainError(
    'forbidden',
    'origin_not_allowed',
    'A page of another origin may only send events, with a key of scope `ingest` that lists its origin.',
  );

/**
 * @param points that the request needs
 * @param limit points a minute
 * @param retryAfterSeconds until the window ends
 */
export function rateLimited(points: number, limit: number, retryAfterSeconds: number): DomainError {
  const formatted = limit.toLocaleString('en');
  return new DomainError(
    'rate_limited',
    'rate_limited',
    points > limit
      ? `The request holds more events than the ${formatted} that this key may send a minute; send fewer at a time.`
      : `This key may send ${formatted} events a minute, and fewer than this request needs are left.`,
    { retryAfterSeconds },
  );
}
