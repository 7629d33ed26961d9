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

/** A recorder, and what PostgreSQL was given; while there are `errors`, it ends in them, one each time. */
function recorder() {
  const tried: RejectionsBatch[] = [];
  const errors: Error[] = [];
  const repository = {
    write: (batch: RejectionsBatch) => {
      tried.push(batch);
      const error = errors.shift();
      return error ? Promise.reject(error) : Promise.resolve();
    },
  } as RejectionsRepository;
  return { rejections: new RejectionsRecorder(repository), tried, errors };
}

const counted = (batch: RejectionsBatch | undefined) =>
  batch?.counts.reduce((sum, { count }) => sum + count, 0);

describe('the recorder of rejections', () => {
  // What PostgreSQL refuses is an error in the log, and here it is meant to be.
  beforeAll(() => Logger.overrideLogger(false));

  it('writes what it noted together, and then nothing until there is more', async () => {
    const { rejections, tried } = recorder();
    await rejections.flush();
    expect(tried).toEqual([]);
    rejections.record(refused);
    rejections.record({ ...refused, observed: true, eventId: '0176bd3b-005b-8e87-b810-d98f192d5f04' });
    await rejections.flush();
    await rejections.flush();
    expect(tried).toEqual([
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

  it('keeps so many examples a second of each application, and counts all', async () => {
    const { rejections, tried } = recorder();
    for (let second = 0; second < 3; second++) {
      const now = NOON + second * 1000;
      for (let index = 0; index < 500; index++) rejections.record(refused, now);
      rejections.record({ ...refused, application: 'quiet' }, now);
    }
    await rejections.flush();
    const rows = tried[0]?.rows ?? [];
    expect(rows.filter(({ application }) => application === 'shop')).toHaveLength(
      3 * environment.REJECTIONS_SAMPLE,
    );
    expect(rows.filter(({ application }) => application === 'quiet')).toHaveLength(3);
    expect(counted(tried[0])).toBe(1503);
  });

  it('tries the same batch again while PostgreSQL is away, so that what was written after all is not counted twice', async () => {
    const { rejections, tried, errors } = recorder();
    errors.push(new DatabaseUnavailableError(), new DatabaseUnavailableError());
    rejections.record(refused);
    await rejections.flush();
    rejections.record(refused);
    rejections.record(refused);
    await rejections.flush();
    await rejections.flush();
    await rejections.flush();
    expect(tried[1]).toEqual(tried[0]);
    expect(tried[2]).toEqual(tried[0]);
    expect(tried[3]?.id).not.toBe(tried[0]?.id);
    expect(tried.slice(2).map(counted)).toEqual([1, 2]);
  });

  it('holds a thousand examples at the most while PostgreSQL is away, and counts all', async () => {
    const { rejections, tried, errors } = recorder();
    errors.push(new DatabaseUnavailableError());
    for (let second = 0; second < 200; second++) {
      for (let index = 0; index < 30; index++) rejections.record(refused, NOON + second * 1000);
      if (second === 10) await rejections.flush();
    }
    await rejections.flush();
    await rejections.flush();
    const written = tried.slice(1);
    expect(written.reduce((sum, { rows }) => sum + rows.length, 0)).toBe(1000);
    expect(written.reduce((sum, batch) => sum + (counted(batch) ?? 0), 0)).toBe(6000);
  });

  it('gives up examples that PostgreSQL refuses rather than their counts, and goes on', async () => {
    const { rejections, tried, errors } = recorder();
    errors.push(failure('22P05'));
    rejections.record(refused);
    await rejections.flush();
    await rejections.flush();
    rejections.record(refused);
    await rejections.flush();
    expect(tried.map(({ rows }) => rows.length)).toEqual([1, 0, 1]);
    expect(tried.map(counted)).toEqual([1, 1, 1]);
  });

  it('writes what is left when the process stops', async () => {
    const { rejections, tried } = recorder();
    rejections.record(refused);
    await rejections.onApplicationShutdown();
    expect(tried.map(counted)).toEqual([1]);
  });
});
