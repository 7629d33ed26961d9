import type { ArrivalTimes } from '../../dialects/arrival-times.js';
import type { EventTypes, TypeViolation } from '../../event-types/event-types.cache.js';
import type { Producer } from '../../queue/producer.js';
import { RedisUnavailableError } from '../../platform/redis/redis-errors.js';
import type { NewRejection } from '../../platform/model/rejection.js';
import { type RejectionRow, toRow } from '../rejection-row.js';
import type { RejectionsRepository } from '../rejections.repository.js';
import { ANYBODY } from '../../auth/caller.js';
import { JsonBody } from '../../platform/http/bodies.js';
import type { NewEvent } from '../../platform/model/event.js';
import type { EventLimits } from '../../events/event-limits.js';
import { EventLimitsPipe } from '../../events/event-limits.pipe.js';
import { EventsPipe } from '../../events/events.pipe.js';
import { LargeBodies } from '../../events/large-bodies.js';
import { EventCutError, RetryService, StillRefusedError } from './retry.service.js';

const EVENT = {
  session_id: 's',
  category: 'form interaction',
  name: 'submit',
  data: { email: 7 },
  timestamp: '2021-01-01T09:15:29.243860Z',
};
const mismatch = (refused: boolean): TypeViolation => ({
  refused,
  code: 'payload_mismatch',
  errors: { 'data.email': ['must be string, not 7'] },
});

/** A pipe and a retry service that share an event type whose check is set by the spec, and what they write where. */
function setUp() {
  const recorded: NewRejection[] = [];
  const queued: NewEvent[] = [];
  const steps: string[] = [];
  const rows = new Map<string, RejectionRow>();
  const state: { violation?: TypeViolation; queueIsDown?: boolean } = {};
  const eventTypes = { check: () => state.violation } as unknown as EventTypes;
  const limits = { violations: () => Promise.resolve(new Map()) } as unknown as EventLimits;
  const recorder = { record: (rejection: NewRejection) => void recorded.push(rejection) };
  const pipe = new EventsPipe(eventTypes, recorder, new LargeBodies());
  const limitsPipe = new EventLimitsPipe(limits, recorder);
  const producer = {
    add: (texts: string[]) => {
      if (state.queueIsDown) return Promise.reject(new RedisUnavailableError());
      steps.push('queue');
      queued.push(...texts.map((text) => JSON.parse(text) as NewEvent));
      return Promise.resolve();
    },
  } as unknown as Producer;
  const repository = {
    findById: (id: string) => Promise.resolve(rows.get(id)),
    remove: (removed: RejectionRow[]) => {
      steps.push('remove');
      for (const { id } of removed) rows.delete(id);
      return Promise.resolve();
    },
    update: (updated: RejectionRow[]) => {
      steps.push('update');
      for (const row of updated) rows.set(row.id, row);
      return Promise.resolve();
    },
  } as unknown as RejectionsRepository;
  const keep = (rejection: NewRejection): RejectionRow => {
    const row = toRow(rejection, rejection.observed ? 'observed' : 'refused');
    rows.set(row.id, row);
    return row;
  };
  /** Sends an event that is recorded, and returns its row. */
  const send = async (event: unknown): Promise<RejectionRow> => {
    await pipe
      .transform({ body: new JsonBody(Buffer.from(JSON.stringify(event))), caller: ANYBODY })
      .then((submission) => limitsPipe.transform(submission))
      .catch(() => undefined);
    return keep(recorded[0] as NewRejection);
  };
  /** No id is known any more. */
  const arrivals: Pick<ArrivalTimes, 'of'> = {
    of: (_application, _dialect, events, arrival = 'now') =>
      Promise.resolve(new Map(events.map((event) => [event, arrival]))),
  };
  const retries = new RetryService(eventTypes, producer, repository, limits, arrivals as ArrivalTimes);
  return { retries, recorded, queued, steps, rows, state, keep, send };
}

describe('RetryService: an observed event', () => {
  it('is recorded with its id, as it was sent, and stays when a retry observes it again', async () => {
    const { retries, queued, rows, state, send, recorded } = setUp();
    state.violation = mismatch(false);
    const row = await send(EVENT);
    expect(row).toMatchObject({
      outcome: 'observed',
      code: 'payload_mismatch',
      event: JSON.stringify(EVENT),
    });
    const retried = await retries.retry(row.id);
    expect(retried.id).toBe(row.event_id);
    expect(queued.map(({ id }) => id)).toEqual([row.event_id]);
    expect(rows.get(row.id)).toEqual(row);
    expect(recorded).toHaveLength(1);
  });

  it('leaves the rejections when its type allows it now', async () => {
    const { retries, rows, state, send } = setUp();
    state.violation = mismatch(false);
    const row = await send(EVENT);
    delete state.violation;
    await retries.retry(row.id);
    expect(rows.size).toBe(0);
  });

  it('stays observed, because it is stored, when its type refuses it now, with the current errors', async () => {
    const { retries, queued, rows, state, send } = setUp();
    state.violation = mismatch(false);
    const row = await send(EVENT);
    state.violation = { ...mismatch(true), errors: { 'data.email': ['another message'] } };
    await expect(retries.retry(row.id)).rejects.toThrow(StillRefusedError);
    expect(rows.get(row.id)).toMatchObject({
      outcome: 'observed',
      errors: { 'data.email': ['another message'] },
    });
    expect(queued).toEqual([]);
  });
});

describe('RetryService: an event that its type refused', () => {
  it('is queued first and then leaves the rejections, when its type allows it now', async () => {
    const { retries, rows, steps, state, send } = setUp();
    state.violation = mismatch(true);
    const row = await send(EVENT);
    expect(row).toMatchObject({ outcome: 'refused', event_id: null });
    delete state.violation;
    await retries.retry(row.id);
    expect(steps).toEqual(['queue', 'remove']);
    expect(rows.size).toBe(0);
  });

  it('is queued and stays as observed, when its type only observes now', async () => {
    const { retries, queued, rows, state, send } = setUp();
    state.violation = mismatch(true);
    const row = await send(EVENT);
    state.violation = mismatch(false);
    await retries.retry(row.id);
    expect(queued).toHaveLength(1);
    expect(rows.get(row.id)).toMatchObject({ outcome: 'observed', event_id: queued[0]?.id });
  });

  it('stays as it is while Redis is unavailable', async () => {
    const { retries, rows, steps, state, send } = setUp();
    state.violation = mismatch(true);
    const row = await send(EVENT);
    delete state.violation;
    state.queueIsDown = true;
    await expect(retries.retry(row.id)).rejects.toThrow(RedisUnavailableError);
    expect(rows.get(row.id)).toEqual(row);
    expect(steps).toEqual([]);
  });
});

describe('RetryService: a retried event', () => {
  const refused = { code: 'too_long', errors: {}, observed: false } as const;

  it('belongs to the application that sent it', async () => {
    const { retries, queued, keep } = setUp();
    await retries.retry(keep({ ...refused, application: 'shop', event: EVENT }).id);
    expect(queued).toEqual([expect.objectContaining({ ...EVENT, application: 'shop' })]);
  });

  it('gets the time of its arrival if it had no timestamp', async () => {
    const { retries, queued, keep } = setUp();
    const row = keep({ ...refused, application: 'shop', event: { ...EVENT, timestamp: undefined } });
    await retries.retry(row.id);
    expect(queued[0]?.timestamp.slice(0, 23)).toBe(row.rejected_at.slice(0, 23));
  });

  it('of a dialect gets the time at which it was refused if its first arrival is not known any more', async () => {
    const { retries, queued, keep } = setUp();
    const item = { type: 'track', event: 'Order Completed', anonymousId: 'anon', messageId: '1' };
    const row = keep({ ...refused, application: 'shop', event: item, dialect: 'segment' });
    await retries.retry(row.id);
    expect(queued[0]?.timestamp.slice(0, 23)).toBe(row.rejected_at.slice(0, 23));
  });

  it('is refused again if its timestamp is null, or if it is not an object', async () => {
    for (const event of [{ ...EVENT, timestamp: null }, [], null, 'text', 7]) {
      const { retries, rows, keep } = setUp();
      const row = keep({ ...refused, application: 'shop', event });
      await expect(retries.retry(row.id)).rejects.toThrow(StillRefusedError);
      expect(rows.get(row.id)?.code).toBe('wrong_type');
    }
  });

  it('is refused again if JSON.parse would change it', async () => {
    const { retries, rows, keep } = setUp();
    const json = JSON.stringify(EVENT).replace('7', '12345678901234567890');
    const row = keep({ ...refused, code: 'not_exact', application: 'shop', event: JSON.parse(json), json });
    await expect(retries.retry(row.id)).rejects.toThrow(StillRefusedError);
    expect(rows.get(row.id)?.code).toBe('not_exact');
  });

  it('must have been recorded whole', async () => {
    const { retries, keep } = setUp();
    const row = keep({ ...refused, application: 'shop', event: undefined });
    await expect(retries.retry(row.id)).rejects.toThrow(EventCutError);
  });
});
