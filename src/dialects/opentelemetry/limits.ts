import { EVENT_BOUNDS } from '../../events/event-reader.js';
import { tooManyEvents } from '../../events/submission.js';
import { environment } from '../../platform/config/environment.js';
import { DomainError } from '../../platform/errors/domain-error.js';
import type { Members } from './logs-request.js';

/** Log records of a request. Collectors send 8,192 at once, and drop them if the response says that these are too many. */
export const MAX_RECORDS = Math.max(10_000, environment.EVENTS_LIMIT);

/** Bytes of all records with a copy of their resource and scope beside each. */
export const MAX_ITEMS_BYTES = 4 * environment.BODY_LIMIT;

/** Bytes of a record, and of what its resource or its scope say about it. No event has more. */
export const MAX_RECORD_BYTES = EVENT_BOUNDS.bytes;

/** Counts messages of a request while it is divided. @throws DomainError `too_many_events` */
export class MessageCounter {
  private count = 0;

  constructor(private readonly max: number) {}

  add(): void {
    if (++this.count > this.max) throw tooManyEvents(this.max);
  }
}

export const resourceTooLarge = (): DomainError =>
  new DomainError(
    'too_large',
    'resource_too_large',
    `A resource or an instrumentation scope takes more than ${MAX_RECORD_BYTES.toLocaleString('en')} bytes, or has too many fields.`,
  );

/** @throws DomainError `resource_too_large` */
export function checkResourceSize(bytes: number): void {
  if (bytes > MAX_RECORD_BYTES) throw resourceTooLarge();
}

export const itemsTooLarge = (): DomainError =>
  new DomainError(
    'too_large',
    'body_too_large',
    `The log records, each with its resource and scope, take more than ${MAX_ITEMS_BYTES.toLocaleString('en')} bytes; ` +
      'send fewer in a request.',
  );

/** Members before another one. */
export const before = (members: Members): string => (members === '' ? '' : `${members},`);
