import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { metrics } from '../platform/telemetry/metrics.js';
import { clientOf } from '../platform/http/client-address.js';
import { tooManyWrongKeys } from './auth-errors.js';

const WINDOW_MS = 60_000;

/** Wrong keys that one address may present in a window. */
const MAX_FAILURES = 60;

/** Addresses that are counted one by one in a window. All further ones share a count. */
const MAX_ADDRESSES = 10_000;
const FURTHER_ADDRESSES = 'further addresses';

export type FailureReason =
  /** No key was presented. This is not counted against the address: a browser asks without a key first. */
  | 'missing'
  /** The text does not have the form of a key, or a key of this scope may not be in the URL. */
  | 'malformed'
  /** The key does not exist or is not active. */
  | 'unknown'
  /** The address had presented too many wrong keys, so that this one was not looked up. */
  | 'limited';

/**
 * The requests that failed to authenticate, by address. Limits them, counts them in a metric and logs a summary of each
 * minute. All addresses share a window: the memory is bounded, and needs no timer for each address as in
 * rate-limiter-flexible.
 */
@Injectable()
export class AuthenticationFailures implements OnModuleDestroy {
  private readonly logger = new Logger('Auth');
  private readonly counts = new Map<string, number>();
  private windowEndsAt = 0;
  private windowTimer: NodeJS.Timeout | undefined;

  /** @throws DomainError `rate_limited` if the address has presented too many wrong keys in this minute */
  refuseIfLimited(ip: string): void {
    if (this.counts.size === 0) return;
    if ((this.counts.get(this.entryOf(ip)) ?? 0) < MAX_FAILURES) return;
    this.record(ip, 'limited');
    throw tooManyWrongKeys(Math.max(1, Math.ceil((this.windowEndsAt - Date.now()) / 1000)));
  }

  record(ip: string, reason: FailureReason): void {
    metrics.authenticationFailed(reason);
    if (reason === 'missing') return;
    if (this.windowTimer === undefined) this.startWindow();
    const entry = this.entryOf(ip);
    this.counts.set(entry, (this.counts.get(entry) ?? 0) + 1);
  }

  onModuleDestroy(): void {
    if (this.windowTimer !== undefined) this.endWindow();
  }

  private entryOf(ip: string): string {
    const network = clientOf(ip);
    return this.counts.size < MAX_ADDRESSES || this.counts.has(network) ? network : FURTHER_ADDRESSES;
  }

  private startWindow(): void {
    this.windowEndsAt = Date.now() + WINDOW_MS;
    this.windowTimer = setTimeout(() => this.endWindow(), WINDOW_MS).unref();
  }

  private endWindow(): void {
    clearTimeout(this.windowTimer);
    this.windowTimer = undefined;
    const [top, most] = [...this.counts].reduce((a, b) => (b[1] > a[1] ? b : a));
    const total = [...this.counts.values()].reduce((sum, count) => sum + count, 0);
    const addresses = `${this.counts.size}${this.counts.size > MAX_ADDRESSES ? ' or more' : ''}`;
    this.logger.warn(
      `Requests with wrong keys in the last minute: ${total}; addresses: ${addresses}; most, ${most}, from ${top}.`,
    );
    this.counts.clear();
  }
}
