import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { DatabaseUnavailableError } from '../platform/database/database-errors.js';
import { EventTypes, SchemaPendingError } from './event-types.cache.js';
import { COMPILER } from './schema/payload-schema.spec-support.js';
import type { EventTypeVersion } from './event-types.repository.js';

const SCHEMA = { properties: { a: { type: 'string' } } };

const version = (number: number, fields: Partial<EventTypeVersion> = {}): EventTypeVersion => ({
  application: 'shop',
  category: 'c',
  name: 'n',
  version: number,
  schema: JSON.stringify(SCHEMA),
  mode: 'enforce',
  changed_by: 'default',
  changed_by_key: null,
  changed_at: '2021-01-01T00:00:00.000000Z',
  ...fields,
});

describe('EventTypes', () => {
  let types: EventTypes;
  beforeEach(() => {
    types = new EventTypes(COMPILER);
  });

  /** Checks an event of a type whose schema may have to be compiled first. */
  async function check(category: string, name: string, data: Record<string, unknown>, application = 'shop') {
    try {
      return types.check(application, category, name, data);
    } catch (error) {
      if (!(error instanceof SchemaPendingError)) throw error;
      await error.compiled;
      return types.check(application, category, name, data);
    }
  }

  it('checks no event before the types are loaded', () => {
    expect(() => types.check('shop', 'c', 'n', {})).toThrow(DatabaseUnavailableError);
    types.update([]);
    expect(types.check('shop', 'c', 'n', {})).toBeUndefined();
  });

  it('notices its first use after each time that this was asked for', () => {
    types.update([]);
    let uses = 0;
    types.onUse = () => uses++;
    const check = () => types.check('shop', 'c', 'n', {});
    expect([types.takeUse(), uses]).toEqual([false, 0]);
    check();
    check();
    expect([types.takeUse(), uses, types.takeUse()]).toEqual([true, 1, false]);
    check();
    expect(uses).toBe(2);
  });

  it('reports a payload that does not match the schema of its own type', async () => {
    types.update([version(1), version(1, { name: 'observed', mode: 'observe' })]);
    const errors = { 'data.a': ['must be string, not 1'] };
    expect(await check('c', 'n', { a: 1 })).toMatchObject({
      refused: true,
      code: 'payload_mismatch',
      errors,
    });
    expect(await check('c', 'observed', { a: 1 })).toMatchObject({
      refused: false,
      code: 'payload_mismatch',
    });
    for (const [category, name] of [
      ['c', 'x'],
      ['x', 'n'],
      ['c', 'constructor'],
      ['__proto__', 'n'],
    ] as const)
      expect(await check(category, name, { a: 1 })).toBeUndefined();
    expect(await check('c', 'n', { a: 'text' })).toBeUndefined();
  });

  it('checks the events of an application by the types of that application only', async () => {
    types.update([version(1), version(1, { application: 'other', schema: '{"required":["b"]}' })]);
    expect((await check('c', 'n', { a: 1 }))?.errors).toEqual({ 'data.a': ['must be string, not 1'] });
    expect((await check('c', 'n', { a: 1 }, 'other'))?.errors).toEqual({ 'data.b': ['is required'] });
    expect(await check('c', 'n', { a: 1 }, 'constructor')).toBeUndefined();
    expect(types.versionOf({ application: 'third', category: 'c', name: 'n' })).toBe(0);
  });

  it('uses the newest version, in whatever order versions arrive', async () => {
    types.update([version(2, { mode: 'observe' })]);
    types.update([version(1)]);
    expect((await check('c', 'n', { a: 1 }))?.refused).toBe(false);
    types.update([version(4, { schema: null, mode: null }), version(3)]);
    expect(await check('c', 'n', { a: 1 })).toBeUndefined();
    expect(types.versionOf({ application: 'shop', category: 'c', name: 'n' })).toBe(4);
    types.update([version(5)]);
    expect((await check('c', 'n', { a: 1 }))?.refused).toBe(true);
  });

  it('compiles a schema once, when its first events arrive, and again if that could not be done', async () => {
    let calls = 0;
    types = new EventTypes({
      compile: (application, schema) => {
        if (calls++ > 0) return COMPILER.compile(application, schema);
        return Promise.reject(new Error('The thread ended.'));
      },
    });
    types.update([version(1)]);
    expect(calls).toBe(0);
    const both = [check('c', 'n', { a: 1 }), check('c', 'n', { a: 1 })];
    for (const result of await Promise.allSettled(both))
      expect(result).toMatchObject({ status: 'rejected', reason: { message: 'The thread ended.' } });
    expect([await check('c', 'n', { a: 'text' }), calls]).toEqual([undefined, 2]);
    expect([(await check('c', 'n', { a: 1 }))?.refused, calls]).toEqual([true, 2]);
  });

  it('compiles a schema again whose place in memory others of its application have taken', async () => {
    const calls: unknown[] = [];
    types = new EventTypes({
      compile: async (application, schema) => {
        calls.push(application === 'shop' ? schema : application);
        return Object.assign(await COMPILER.compile(application, schema), { bytes: 20 * 1024 ** 2 });
      },
    });
    const other = { name: 'other', schema: '{"required":["b"]}' };
    types.update([version(1), version(1, other), version(1, { application: 'blog' })]);
    for (const name of ['n', 'n', 'other', 'n']) {
      expect(await check('c', name, { b: 1 })).toBeUndefined();
      expect(await check('c', 'n', { b: 1 }, 'blog')).toBeUndefined();
    }
    expect(calls).toEqual([SCHEMA, 'blog', { required: ['b'] }, SCHEMA]);
  });

  it('has room for 16 MiB of schemas of an application, of which the newest of each type counts', () => {
    const large = 'x'.repeat(10 * 1024 ** 2);
    const key = (name: string, application = 'shop') => ({ application, category: 'c', name });
    types.update([version(1, { name: 'a', schema: large })]);
    expect(types.hasRoomFor(key('b'), large)).toBe(false);
    expect(types.hasRoomFor(key('a'), large)).toBe(true);
    expect(types.hasRoomFor(key('b', 'other'), large)).toBe(true);
    types.update([version(2, { name: 'a', schema: null, mode: null })]);
    expect(types.hasRoomFor(key('b'), large)).toBe(true);
  });

  it('accepts every event of a type whose schema no longer compiles, and logs that once', async () => {
    const logged = jest.spyOn(Logger.prototype, 'error').mockReturnValue();
    types.update([version(1, { schema: '{"typo":1}' })]);
    for (let repeat = 0; repeat < 3; repeat++) expect(await check('c', 'n', { a: 1 })).toBeUndefined();
    expect(logged.mock.calls).toEqual([
      [expect.stringMatching(/^Version 1 of \(c, n\) of shop is not enforced: schema\.typo/)],
    ]);
    logged.mockRestore();
  });
});
