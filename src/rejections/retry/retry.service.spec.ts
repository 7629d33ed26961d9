import type { TypeViolation } from '../../event-types/event-types.cache.js';
import type { Producer } from '../../queue/producer.js';
import { RedisUnavailableError } from '../../platform/redis/redis-errors.js';
import type { NewRejection } from '../../platform/model/rejection.js';
import { type RejectionRow, toRow } from '../rejection-row.js';
import type { RejectionsRepository } from '../rejections.repository.js';
import { ANYBODY } from '../../auth/caller.js';
import { JsonBody } from '../../platform/http/bodies.js';
import type { NewEvent } from '../../platform/model/event.js';
import { EventsPipe } from '../../events/events.pipe.js';
import { CutEventError, RetryService } from './retry.service.js';

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

/** A street with an event type that objects as it is told, and what it puts where. */
function street() {
  const recorded: NewRejection[] = [];
  const queued: NewEvent[] = [];
  const steps: string[] = [];
  const rows = new Map<string, RejectionRow>();
  const told: { objection?: TypeViolation; queueIsAway?: boolean } = {};
  const pipe = new EventsPipe(
    { check: () => told.objection },
    {
      record: (rejection) => void recorded.push(rejection),
    },
  );
  const producer = {
    add: (events: NewEvent[]) => {
      if (told.queueIsAway) return Promise.reject(new RedisUnavailableError());
      steps.push('queue');
      queued.push(...events);
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
  /** Sends an event, of which note is taken; the row that becomes of it. */
  const send = async (event: unknown): Promise<RejectionRow> => {
    await pipe.transform(new JsonBody(JSON.stringify(event), ANYBODY)).catch(() => undefined);
    return keep(recorded[0] as NewRejection);
  };
  const retries = new RetryService(pipe, producer, repository);
  return { retries, recorded, queued, steps, rows, told, keep, send };
}

describe('an event that an event type only observes', () => {
  it('is noted with its id, as it was sent, and stays when it is retried and observed again', async () => {
    const { retries, queued, rows, told, send, recorded } = street();
    told.objection = mismatch(false);
    const row = await send(EVENT);
    expect(row).toMatchObject({
      outcome: 'observed',
      code: 'payload_mismatch',
      event: JSON.stringify(EVENT),
    });
    const retried = await retries.retry(row.id);
    expect(retried).toEqual({ event: expect.objectContaining({ id: row.event_id }) as unknown });
    expect(queued.map(({ id }) => id)).toEqual([row.event_id]);
    expect(rows.get(row.id)).toEqual(row);
    expect(recorded).toHaveLength(1);
  });

  it('leaves the list when the type has no objection any more', async () => {
    const { retries, rows, told, send } = street();
    told.objection = mismatch(false);
    const row = await send(EVENT);
    delete told.objection;
    await retries.retry(row.id);
    expect(rows.size).toBe(0);
  });

  it('stays observed, for it is stored, when the type refuses it by now; why is said', async () => {
    const { retries, queued, rows, told, send } = street();
    told.objection = mismatch(false);
    const row = await send(EVENT);
    told.objection = { ...mismatch(true), errors: { 'data.email': ['another word'] } };
    expect(await retries.retry(row.id)).toMatchObject({ refusal: { code: 'payload_mismatch' } });
    expect(rows.get(row.id)).toMatchObject({
      outcome: 'observed',
      errors: { 'data.email': ['another word'] },
    });
    expect(queued).toEqual([]);
  });
});

describe('an event that an event type refused', () => {
  it('goes into the queue first and leaves the list then, when the type takes it', async () => {
    const { retries, rows, steps, told, send } = street();
    told.objection = mismatch(true);
    const row = await send(EVENT);
    expect(row).toMatchObject({ outcome: 'refused', event_id: null });
    delete told.objection;
    await retries.retry(row.id);
    expect(steps).toEqual(['queue', 'remove']);
    expect(rows.size).toBe(0);
  });

  it('goes into the queue and stays as observed, when the type only observes by now', async () => {
    const { retries, queued, rows, told, send } = street();
    told.objection = mismatch(true);
    const row = await send(EVENT);
    told.objection = mismatch(false);
    await retries.retry(row.id);
    expect(queued).toHaveLength(1);
    expect(rows.get(row.id)).toMatchObject({ outcome: 'observed', event_id: queued[0]?.id });
  });

  it('stays as it is while the queue is away', async () => {
    const { retries, rows, steps, told, send } = street();
    told.objection = mismatch(true);
    const row = await send(EVENT);
    delete told.objection;
    told.queueIsAway = true;
    await expect(retries.retry(row.id)).rejects.toThrow(RedisUnavailableError);
    expect(rows.get(row.id)).toEqual(row);
    expect(steps).toEqual([]);
  });
});

describe('an event that is retried', () => {
  const refused = { code: 'too_long', errors: {}, observed: false } as const;

  it('is sent as its own application', async () => {
    const { retries, queued, keep } = street();
    await retries.retry(keep({ ...refused, application: 'shop', event: EVENT }).id);
    expect(queued).toEqual([expect.objectContaining({ ...EVENT, application: 'shop' })]);
  });

  it('happened when it was refused, where it came without a timestamp', async () => {
    const { retries, queued, keep } = street();
    const row = keep({ ...refused, application: 'shop', event: { ...EVENT, timestamp: undefined } });
    await retries.retry(row.id);
    expect(queued[0]?.timestamp.slice(0, 23)).toBe(row.rejected_at.slice(0, 23));
  });

  it('is not given a timestamp that it refused to have, nor made an event where it is none', async () => {
    for (const event of [{ ...EVENT, timestamp: null }, [], null, 'text', 7]) {
      const { retries, keep } = street();
      const row = keep({ ...refused, application: 'shop', event });
      expect(await retries.retry(row.id)).toMatchObject({ refusal: { code: 'wrong_type' } });
    }
  });

  it('is read as it was written: what JSON.parse would change is refused again', async () => {
    const { retries, keep } = street();
    const json = JSON.stringify(EVENT).replace('7', '12345678901234567890');
    const row = keep({ ...refused, code: 'not_exact', application: 'shop', event: JSON.parse(json), json });
    expect(await retries.retry(row.id)).toMatchObject({ refusal: { code: 'not_exact' } });
  });

  it('must be whole', async () => {
    const { retries, keep } = street();
    const row = keep({ ...refused, application: 'shop', event: undefined });
    await expect(retries.retry(row.id)).rejects.toThrow(CutEventError);
  });
});
