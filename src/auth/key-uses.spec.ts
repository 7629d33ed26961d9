import { jest } from '@jest/globals';
import { DatabaseUnavailableError } from '../platform/database/database-errors.js';
import { KeyUses } from './key-uses.js';
import type { KeysRepository } from './keys.repository.js';

const MINUTE_MS = 60_000;

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

function setUp() {
  const noteUses = jest.fn<KeysRepository['noteUses']>(() => Promise.resolve());
  const uses = new KeyUses({ noteUses } as unknown as KeysRepository);
  uses.onModuleInit();
  return { noteUses, uses };
}

describe('KeyUses', () => {
  it('writes the last use of each key once a minute, and nothing without a use', async () => {
    const { noteUses, uses } = setUp();
    const startedAt = Date.now();
    uses.note('a');
    await jest.advanceTimersByTimeAsync(1000);
    uses.note('a');
    uses.note('b');
    await jest.advanceTimersByTimeAsync(MINUTE_MS - 1001);
    expect(noteUses).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1);
    const used = startedAt + 1000;
    expect(noteUses.mock.calls).toEqual([
      [
        [
          ['a', used],
          ['b', used],
        ],
      ],
    ]);
    await jest.advanceTimersByTimeAsync(2 * MINUTE_MS);
    expect(noteUses).toHaveBeenCalledTimes(1);
  });

  it('keeps the uses that PostgreSQL could not take, and writes the later ones of a key', async () => {
    const { noteUses, uses } = setUp();
    const startedAt = Date.now();
    noteUses.mockRejectedValueOnce(new DatabaseUnavailableError());
    uses.note('a');
    uses.note('b');
    await jest.advanceTimersByTimeAsync(MINUTE_MS);
    uses.note('b');
    await uses.onApplicationShutdown();
    expect(new Map(noteUses.mock.calls[1]?.[0])).toEqual(
      new Map([
        ['a', startedAt],
        ['b', startedAt + MINUTE_MS],
      ]),
    );
  });
});
