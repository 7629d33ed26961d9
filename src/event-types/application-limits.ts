import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { setTimeout as sleep } from 'node:timers/promises';
import { environment } from '../platform/config/environment.js';
import { DatabaseUnavailableError } from '../platform/database/database-errors.js';
import { ApplicationLimitsRepository } from './application-limits.repository.js';

/** How long a look-up is valid, and so the time until every process applies a changed limit. */
const TTL_MS = 2000;

/** A request waits this long for PostgreSQL; then the last known limits stay valid for another TTL. */
const LOOKUP_TIMEOUT_MS = 250;

const MAX_APPLICATIONS = 10_000;

/** The limits that apply to the events of an application. */
export interface Limits {
  /** Event types that it may use. */
  readonly types: number;
  /** Days that a timestamp may lie in the past. */
  readonly pastDays: number;
}

const DEFAULTS: Limits = { types: environment.TYPES_LIMIT, pastDays: environment.PAST_LIMIT };

/** The limits of applications, in memory. */
@Injectable()
export class ApplicationLimits {
  private readonly limits = new LRUCache<string, Limits>({
    max: MAX_APPLICATIONS,
    ttl: TTL_MS,
    noDeleteOnStaleGet: true,
    // A request gets the result of its look-up even if other applications have evicted the entry meanwhile.
    ignoreFetchAbort: true,
    fetchMethod: (application, last = DEFAULTS) => this.lookUp(application, last),
  });

  constructor(private readonly repository: ApplicationLimitsRepository) {}

  /** @returns synchronously if the limits are in memory, so that the hot path costs no promise */
  of(application: string): Limits | Promise<Limits> {
    return this.limits.get(application) ?? this.limits.forceFetch(application);
  }

  private async lookUp(application: string, last: Limits): Promise<Limits> {
    const found = this.repository.find(application).then(
      (own) => ({
        types: own?.types_limit ?? DEFAULTS.types,
        pastDays: own?.past_limit ?? DEFAULTS.pastDays,
      }),
      (error: unknown) => {
        if (error instanceof DatabaseUnavailableError) return last;
        throw error;
      },
    );
    const timer = new AbortController();
    try {
      return await Promise.race([found, sleep(LOOKUP_TIMEOUT_MS, last, { signal: timer.signal })]);
    } finally {
      timer.abort();
    }
  }
}
