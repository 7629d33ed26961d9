import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { QueryFailedError } from 'typeorm';
import { environment } from '../platform/config/environment.js';
import { DatabaseUnavailableError } from '../platform/database/database-errors.js';
import type { NewRejection } from '../platform/model/rejection.js';
import { RejectionsRecorder } from './rejections.recorder.js';
import type { RejectionsBatch, RejectionsRepository } from './rejections.repository.js';

const refused: NewRejection = {
  application: 'shop',
  code: 'empty',
  errors: { name: ['Must not be empty.'] },
  event: { category: 'click', name: '' },
  observed: false,
};
const NOON = Date.parse('2026-01-01T12:00:00Z');

const failure = (code: string) =>
  new QueryFailedError('INSERT', [], Object.assign(new Error(code), { code }));

/** A recorder and the batches that it has tried to write. Each attempt fails with the next of `errors`, if any. */
function createRecorder() {
  const attempts: RejectionsBatch[] = [];
  const errors: Error[] = [];
  const repository = {
    write: (batch: RejectionsBatch) => {
      attempts.push(batch);
      const error = errors.shift();
      return error ? Promise.reject(error) : Promise.resolve();
    },
  } as RejectionsRepository;
  return { rejections: new RejectionsRecorder(repository), attempts, errors };
}

const totalCount = (batch: RejectionsBatch | undefined) =>
  batch?.counts.reduce((sum, { count }) => sum + count, 0);

describe('RejectionsRecorder', () => {
  // The recorder logs an error when PostgreSQL refuses a batch. These specs cause such errors on purpose.
  beforeAll(() => Logger.overrideLogger(false));

  it('writes all recorded rejections in one batch, and nothing while there are no new ones', async () => {
    const { rejections, attempts } = createRecorder();
    await rejections.flush();
    expect(attempts).toEqual([]);
    rejections.record(refused);
    rejections.record({ ...refused, observed: true, eventId: '0176bd3b-005b-8e87-b810-d98f192d5f04' });
    await rejections.flush();
    await rejections.flush();
    expect(attempts).toEqual([
      {
        id: expect.any(String) as string,
        rows: [
          expect.objectContaining({ outcome: 'refused', event_id: null, category: 'click', name: '' }),
          expect.objectContaining({ outcome: 'observed', event_id: '0176bd3b-005b-8e87-b810-d98f192d5f04' }),
        ],
        counts: [expect.objectContaining({ code: 'empty', category: 'click', count: 2 })],
      },
    ]);
  });

  it('samples at most REJECTIONS_SAMPLE rows a second of each application, and counts all rejections', async () => {
    const { rejections, attempts } = createRecorder();
    for (let second = 0; second < 3; second++) {
      const now = NOON + second * 1000;
      for (let index = 0; index < 500; index++) rejections.record(refused, now);
      rejections.record({ ...refused, application: 'quiet' }, now);
    }
    await rejections.flush();
    const rows = attempts[0]?.rows ?? [];
    expect(rows.filter(({ application }) => application === 'shop')).toHaveLength(
      3 * environment.REJECTIONS_SAMPLE,
    );
    expect(rows.filter(({ application }) => application === 'quiet')).toHaveLength(3);
    expect(totalCount(attempts[0])).toBe(1503);
  });

  it('retries the same batch while PostgreSQL is unavailable, so that a batch that was written after all is not counted twice', async () => {
    const { rejections, attempts, errors } = createRecorder();
    errors.push(new DatabaseUnavailableError(), new DatabaseUnavailableError());
    rejections.record(refused);
    await rejections.flush();
    rejections.record(refused);
    rejections.record(refused);
    await rejections.flush();
    await rejections.flush();
    await rejections.flush();
    expect(attempts[1]).toEqual(attempts[0]);
    expect(attempts[2]).toEqual(attempts[0]);
    expect(attempts[3]?.id).not.toBe(attempts[0]?.id);
    expect(attempts.slice(2).map(totalCount)).toEqual([1, 2]);
  });

  it('holds at most 1,000 rows while PostgreSQL is unavailable, and counts all rejections', async () => {
    const { rejections, attempts, errors } = createRecorder();
    errors.push(new DatabaseUnavailableError());
    for (let second = 0; second < 200; second++) {
      for (let index = 0; index < 30; index++) rejections.record(refused, NOON + second * 1000);
      if (second === 10) await rejections.flush();
    }
    await rejections.flush();
    await rejections.flush();
    const written = attempts.slice(1);
    expect(written.reduce((sum, { rows }) => sum + rows.length, 0)).toBe(1000);
    expect(written.reduce((sum, batch) => sum + (totalCount(batch) ?? 0), 0)).toBe(6000);
  });

  it('writes by itself what is recorded, also during an outage, and then rests', async () => {
    jest.useFakeTimers();
    try {
      const { rejections, attempts, errors } = createRecorder();
      rejections.onModuleInit();
      await jest.advanceTimersByTimeAsync(60_000);
      expect(jest.getTimerCount()).toBe(0);
      errors.push(new DatabaseUnavailableError(), new DatabaseUnavailableError());
      rejections.record(refused);
      await jest.advanceTimersByTimeAsync(700);
      rejections.record(refused);
      await jest.advanceTimersByTimeAsync(2000);
      expect(attempts.map(totalCount)).toEqual([1, 1, 1, 1]);
      expect(new Set(attempts.map(({ id }) => id)).size).toBe(2);
      expect(jest.getTimerCount()).toBe(0);
      await rejections.onApplicationShutdown();
    } finally {
      jest.useRealTimers();
    }
  });

  it('drops rows that PostgreSQL refuses, but writes their counts and later batches', async () => {
    const { rejections, attempts, errors } = createRecorder();
    errors.push(failure('22P05'));
    rejections.record(refused);
    await rejections.flush();
    await rejections.flush();
    rejections.record(refused);
    await rejections.flush();
    expect(attempts.map(({ rows }) => rows.length)).toEqual([1, 0, 1]);
    expect(attempts.map(totalCount)).toEqual([1, 1, 1]);
  });

  it('writes the remaining rejections when the process stops', async () => {
    const { rejections, attempts } = createRecorder();
    rejections.record(refused);
    await rejections.onApplicationShutdown();
    expect(attempts.map(totalCount)).toEqual([1]);
  });
});
