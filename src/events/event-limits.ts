import { Injectable } from '@nestjs/common';
import { ApplicationLimits } from '../event-types/application-limits.js';
import { TypeLimit } from '../event-types/type-limit.js';
import type { NewEvent } from '../platform/model/event.js';
import { FIRST_INSTANT_MS, MS_PER_DAY, type Timestamp, timestampAt } from '../platform/time/timestamp.js';
import type { Violation } from './event-reader.js';

/** The limits of an application on its events: the age of their timestamps, and the number of their types. */
@Injectable()
export class EventLimits {
  private lastOldest: Timestamp | undefined;

  constructor(
    private readonly limits: ApplicationLimits,
    private readonly typeLimit: TypeLimit,
  ) {}

  /**
   * Checks valid events of one application. Their new types are added to those of the application.
   * @returns what is wrong with those that exceed a limit
   * @throws RedisUnavailableError
   */
  async violations(application: string, events: readonly NewEvent[]): Promise<Map<NewEvent, Violation>> {
    const found = this.limits.of(application);
    const { types, pastDays } = found instanceof Promise ? await found : found;
    const oldest = this.oldest(pastDays);
    const violations = new Map<NewEvent, Violation>();
    const ofNewTypes: NewEvent[] = [];
    for (const event of events) {
      if (event.timestamp < oldest) violations.set(event, tooOld(pastDays));
      else if (!this.typeLimit.fits(application, event)) ofNewTypes.push(event);
    }
    if (ofNewTypes.length === 0) return violations;
    const refused = await this.typeLimit.add(application, ofNewTypes, types);
    if (refused.length === 0) return violations;
    const refusedKeys = new Set(refused.map(typeOf));
    for (const event of ofNewTypes)
      if (refusedKeys.has(typeOf(event))) violations.set(event, tooManyTypes(event, types));
    return violations;
  }

  /** The oldest timestamp that is permitted. The requests of a millisecond share it, because formatting a date is costly. */
  private oldest(pastDays: number): string {
    const milliseconds = Math.max(FIRST_INSTANT_MS, Date.now() - pastDays * MS_PER_DAY);
    if (this.lastOldest?.milliseconds !== milliseconds) this.lastOldest = timestampAt(milliseconds);
    return this.lastOldest.text;
  }
}

/** No text of an event contains U+0000. */
const typeOf = ({ category, name }: NewEvent): string => `${category}\0${name}`;

const tooOld = (days: number): Violation => ({
  code: 'timestamp_too_old',
  errors: { timestamp: [`Must not lie more than ${days.toLocaleString('en')} days in the past.`] },
});

const tooManyTypes = ({ category, name }: NewEvent, limit: number): Violation => ({
  code: 'too_many_types',
  errors: {
    name: [
      `(${category}, ${name}) would be one event type more than the ${limit.toLocaleString('en')} that this application may use.`,
    ],
  },
});
