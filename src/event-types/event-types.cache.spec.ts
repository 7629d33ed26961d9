import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { DatabaseUnavailableError } from '../platform/database/database-errors.js';
import { EventTypes } from './event-types.cache.js';
import type { EventTypeVersion } from './event-types.repository.js';

const version = (number: number, fields: Partial<EventTypeVersion> = {}): EventTypeVersion => ({
  application: 'shop',
  category: 'c',
  name: 'n',
  version: number,
  schema: '{"properties":{"a":{"type":"string"}}}',
  mode: 'enforce',
  changed_by: 'default',
  changed_by_key: null,
  changed_at: '2021-01-01T00:00:00.000000Z',
  ...fields,
});

describe('EventTypes', () => {
  let types: EventTypes;
  beforeEach(() => {
    types = new EventTypes();
  });

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

  it('reports a payload that does not match the schema of its own type', () => {
    types.update([version(1), version(1, { name: 'observed', mode: 'observe' })]);
    const errors = { 'data.a': ['must be string, not 1'] };
    expect(types.check('shop', 'c', 'n', { a: 1 })).toMatchObject({
      refused: true,
      code: 'payload_mismatch',
      errors,
    });
    expect(types.check('shop', 'c', 'observed', { a: 1 })).toMatchObject({
      refused: false,
      code: 'payload_mismatch',
    });
    for (const [category, name] of [
      ['c', 'x'],
      ['x', 'n'],
      ['c', 'constructor'],
      ['__proto__', 'n'],
    ] as const)
      expect(types.check('shop', category, name, { a: 1 })).toBeUndefined();
    expect(types.check('shop', 'c', 'n', { a: 'text' })).toBeUndefined();
  });

  it('checks the events of an application by the types of that application only', () => {
    types.update([version(1), version(1, { application: 'other', schema: '{"required":["b"]}' })]);
    expect(types.check('shop', 'c', 'n', { a: 1 })?.errors).toEqual({ 'data.a': ['must be string, not 1'] });
    expect(types.check('other', 'c', 'n', { a: 1 })?.errors).toEqual({ 'data.b': ['is required'] });
    expect(types.check('constructor', 'c', 'n', { a: 1 })).toBeUndefined();
    expect(types.versionOf({ application: 'third', category: 'c', name: 'n' })).toBe(0);
  });

  it('uses the newest version, in whatever order versions arrive', () => {
    types.update([version(2, { mode: 'observe' })]);
    types.update([version(1)]);
    expect(types.check('shop', 'c', 'n', { a: 1 })?.refused).toBe(false);
    types.update([version(4, { schema: null, mode: null }), version(3)]);
    expect(types.check('shop', 'c', 'n', { a: 1 })).toBeUndefined();
    expect(types.versionOf({ application: 'shop', category: 'c', name: 'n' })).toBe(4);
    types.update([version(5)]);
    expect(types.check('shop', 'c', 'n', { a: 1 })?.refused).toBe(true);
  });

  it('accepts every event of a type whose schema no longer compiles, and logs that once', () => {
    const logged = jest.spyOn(Logger.prototype, 'error').mockReturnValue();
    types.update([version(1, { schema: '{"typo":1}' })]);
    for (let repeat = 0; repeat < 3; repeat++)
      expect(types.check('shop', 'c', 'n', { a: 1 })).toBeUndefined();
    expect(logged.mock.calls).toEqual([
      [expect.stringMatching(/^Version 1 of \(c, n\) of shop is not enforced: schema\.typo/)],
    ]);
    logged.mockRestore();
  });
});
