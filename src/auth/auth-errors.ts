import { DomainError, NotFoundError, UnavailableError } from '../platform/errors/domain-error.js';

/** The response is the same for a missing, an unknown, a revoked and an expired key, so that it gives no hint. */
export const unauthorized = (): DomainError =>
  new DomainError('unauthenticated', 'unauthorized', 'Present a valid key: `Authorization: Bearer <key>`.');

export const forbidden = (): DomainError =>
  new DomainError('forbidden', 'forbidden', 'This key may not do that.');

export const applicationNotFound = (): DomainError =>
  new NotFoundError('There is no application with this name.');

export const originNotAllowed = (): DomainError =>
  new DomainError(
    'forbidden',
    'origin_not_allowed',
    'A page of another origin may only send events, with a key of scope `ingest` that lists its origin.',
  );

/** @param retryAfterSeconds until the address may present another wrong key */
export const tooManyWrongKeys = (retryAfterSeconds: number): DomainError =>
  new DomainError(
    'rate_limited',
    'rate_limited',
    'Too many requests with wrong keys came from this address; correct the key, and wait.',
    { retryAfterSeconds },
  );

/** Too many keys that this process does not know wait to be looked up. */
export const tooManyLookUps = (): UnavailableError =>
  new UnavailableError('busy', 'Too many keys wait to be looked up; nothing was accepted.');

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
      ? `The request costs ${points.toLocaleString('en')} events by its number or bytes, more than the ${formatted} that this key may send a minute; send fewer at a time.`
      : `This key may send ${formatted} events a minute, and fewer than this request needs are left.`,
    { retryAfterSeconds },
  );
}
