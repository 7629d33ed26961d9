import { Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { hash } from 'node:crypto';
import { MAX_TYPES_LIMIT } from '../platform/config/environment.js';
import { yieldToEventLoop } from '../platform/async/yield-to-event-loop.js';
import { DatabaseUnavailableError, describeCause } from '../platform/database/database-errors.js';
import { isProgrammingError } from '../platform/errors/programming-error.js';
import { RedisConnections } from '../platform/redis/redis-connections.js';
import { RedisUnavailableError } from '../platform/redis/redis-errors.js';
import { RedisHealth } from '../platform/redis/redis-health.js';
import { ApplicationLimitsRepository } from './application-limits.repository.js';
import { EventTypes } from './event-types.cache.js';
import type { TypeKey } from './event-types.repository.js';

/** Types in memory that are known to fit. */
const MAX_KNOWN = 100_000;

/** Seconds after which the set of an application is read from PostgreSQL again, so that it forgets types that are gone there. */
const TTL_SECONDS = 86_400;

/** Members that one command adds. */
const CHUNK_SIZE = 5000;

/** New types that are looked up, and added by one command, before other requests get a turn. */
const BATCH_SIZE = 500;

/** Characters of a digest that stand for a type: 132 bits. */
const MEMBER_LENGTH = 22;

/** In every set, so that a set without types exists too. */
const SENTINEL = '';

/** Adds types as long as there is room. Returns the positions of those that do not fit, or false without a set. */
const ADD_SCRIPT = `
  if redis.call('EXISTS', KEYS[1]) == 0 then return false end
  local room = tonumber(ARGV[1]) - (redis.call('SCARD', KEYS[1]) - 1)
  local refused = {}
  for index = 2, #ARGV do
    if redis.call('SISMEMBER', KEYS[1], ARGV[index]) == 0 then
      if room > 0 then
        redis.call('SADD', KEYS[1], ARGV[index])
        room = room - 1
      else
        refused[#refused + 1] = index - 2
      end
    end
  end
  return refused`;

/**
 * Limits how many event types an application may use, because what is counted of events grows with them. The types of an
 * application are a set in Redis, which all processes share. One that fits always fits: also if the limit is lowered.
 */
@Injectable()
export class TypeLimit {
  private readonly logger = new Logger('TypeLimit');
  /** Why the types in use could not be read the last time. */
  private problem: string | undefined;
  private readonly known = new LRUCache<string, true>({ max: MAX_KNOWN });

  constructor(
    private readonly connections: RedisConnections,
    private readonly health: RedisHealth,
    private readonly repository: ApplicationLimitsRepository,
    private readonly registered: EventTypes,
  ) {}

  /** Whether a type is known to fit. Costs one look-up, for every event. */
  fits(application: string, { category, name }: TypeKey): boolean {
    return this.known.get(keyOf(application, category, name)) !== undefined;
  }

  /**
   * Adds types to those of an application, in batches. Registered types always fit.
   * @returns those that do not fit
   * @throws RedisUnavailableError
   */
  async add<Type extends TypeKey>(
    application: string,
    types: readonly Type[],
    limit: number,
  ): Promise<Type[]> {
    const refused: Type[] = [];
    for (let start = 0; start < types.length; start += BATCH_SIZE) {
      if (start > 0) await yieldToEventLoop();
      refused.push(...(await this.addBatch(application, types.slice(start, start + BATCH_SIZE), limit)));
    }
    return refused;
  }

  private async addBatch<Type extends TypeKey>(
    application: string,
    types: readonly Type[],
    limit: number,
  ): Promise<Type[]> {
    const distinct = new Map<string, Type>();
    for (const type of types) {
      const key = keyOf(application, type.category, type.name);
      if (this.known.has(key)) continue;
      if (this.registered.isRegistered({ ...type, application })) this.known.set(key, true);
      else distinct.set(key, type);
    }
    if (distinct.size === 0) return [];
    const candidates = [...distinct.values()];
    const refused = await this.addShared(application, candidates.map(memberOf), limit);
    if (refused === undefined) return [];
    const isRefused = new Set(refused);
    for (const [index, key] of [...distinct.keys()].entries())
      if (!isRefused.has(index)) this.known.set(key, true);
    return candidates.filter((_, index) => isRefused.has(index));
  }

  /** @returns undefined while the types in use are unknown: then all fit, and none is remembered */
  private async addShared(
    application: string,
    members: string[],
    limit: number,
  ): Promise<number[] | undefined> {
    if (!this.health.available) throw new RedisUnavailableError();
    const { client } = this.connections;
    const key = `the-eye:types:${application}`;
    const add = (): Promise<unknown> => client.eval(ADD_SCRIPT, 1, key, limit, ...members);
    try {
      const refused = (await add()) ?? ((await this.seed(application, key)) && (await add()));
      return (refused || undefined) as number[] | undefined;
    } catch (error) {
      if (isProgrammingError(error)) throw error;
      throw new RedisUnavailableError(undefined, { cause: error });
    }
  }

  /**
   * Makes the set of an application from the events that are stored. Events that are accepted and not stored yet are
   * missing in it, so the limit may be exceeded by their types.
   * @returns false while they cannot be read from PostgreSQL: accepting events needs Redis only
   */
  private async seed(application: string, key: string): Promise<boolean> {
    const types = await this.repository.typesInUse(application, MAX_TYPES_LIMIT).catch((error: unknown) => {
      this.logProblem(error);
      return undefined;
    });
    if (!types) return false;
    this.problem = undefined;
    const members = [SENTINEL, ...types.map(memberOf)];
    const commands = this.connections.client.multi();
    for (let start = 0; start < members.length; start += CHUNK_SIZE)
      commands.sadd(key, ...members.slice(start, start + CHUNK_SIZE));
    await commands.expire(key, TTL_SECONDS).exec();
    return true;
  }

  /** Logs a cause once. An outage is logged elsewhere. */
  private logProblem(error: unknown): void {
    const problem = describeCause(error);
    if (problem !== this.problem && !(error instanceof DatabaseUnavailableError))
      this.logger.warn(
        `PostgreSQL cannot say which event types are in use (${problem}). Until it can, new ones are not limited.`,
      );
    this.problem = problem;
  }
}

/** No text of an event contains U+0000. */
const keyOf = (application: string, category: string, name: string): string =>
  `${application}\0${category}\0${name}`;

const memberOf = ({ category, name }: TypeKey): string =>
  hash('sha256', `${category}\0${name}`, 'base64url').slice(0, MEMBER_LENGTH);
