import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { RedisConnections } from '../platform/redis/redis-connections.js';
import { RedisUnavailableError } from '../platform/redis/redis-errors.js';
import { RedisHealth } from '../platform/redis/redis-health.js';
import { ApplicationLimitsRepository } from './application-limits.repository.js';
import { EventTypes } from './event-types.cache.js';
import { COMPILER } from './schema/payload-schema.spec-support.js';
import { TypeLimit } from './type-limit.js';

/** A limit whose application has no set in Redis yet, and whose types PostgreSQL does not return. */
function setUp({ redis, postgresql = new Error() }: { redis?: Error; postgresql?: Error }): TypeLimit {
  const client = { eval: () => (redis ? Promise.reject(redis) : Promise.resolve(null)) };
  return new TypeLimit(
    { client } as unknown as RedisConnections,
    { available: true } as RedisHealth,
    { typesInUse: () => Promise.reject(postgresql) } as unknown as ApplicationLimitsRepository,
    new EventTypes(COMPILER),
  );
}

const TYPES = [{ category: 'c', name: 'n' }];

describe('TypeLimit', () => {
  it('lets all types fit while PostgreSQL cannot return those in use, and logs the cause once', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const cause = Object.assign(new Error('permission denied for table types_in_use'), { code: '42501' });
    const limit = setUp({ postgresql: cause });
    expect(await limit.add('shop', TYPES, 1)).toEqual([]);
    expect(await limit.add('shop', TYPES, 1)).toEqual([]);
    // Not remembered: once PostgreSQL responds, the limit is in force.
    expect(limit.fits('shop', { category: 'c', name: 'n' })).toBe(false);
    expect(warn.mock.calls).toEqual([
      [expect.stringContaining('permission denied for table types_in_use [42501]')],
    ]);
    warn.mockRestore();
  });

  it('reports an error of Redis as such', async () => {
    const limit = setUp({ redis: new Error('Connection is closed.') });
    await expect(limit.add('shop', TYPES, 1)).rejects.toThrow(RedisUnavailableError);
  });
});
