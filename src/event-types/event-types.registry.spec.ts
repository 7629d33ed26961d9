import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { DatabaseUnavailableError } from '../platform/database/database-errors.js';
import { EventTypes } from './event-types.registry.js';
import type { EventTypeVersion } from './event-types.repository.js';

const version = (number: number, fields: Partial<EventTypeVersion> = {}): EventTypeVersion => ({
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

describe('The event types', () => {
  let types: EventTypes;
  beforeEach(() => {
    types = new EventTypes();
  });

  it('judge nothing before they are known', () => {
    expect(() => types.check('c', 'n', {})).toThrow(DatabaseUnavailableError);
    types.learn([]);
    expect(types.check('c', 'n', {})).toBeUndefined();
  });

  it('object to a payload that does not fit, and to none of other types', () => {
    types.learn([version(1), version(1, { name: 'observed', mode: 'observe' })]);
    const errors = { 'data.a': ['must be string, not 1'] };
    expect(types.check('c', 'n', { a: 1 })).toMatchObject({
      refused: true,
      code: 'payload_mismatch',
      errors,
    });
    expect(types.check('c', 'observed', { a: 1 })).toMatchObject({
      refused: false,
      code: 'payload_mismatch',
    });
    for (const [category, name] of [
      ['c', 'x'],
      ['x', 'n'],
      ['c', 'constructor'],
      ['__proto__', 'n'],
    ] as const)
      expect(types.check(category, name, { a: 1 })).toBeUndefined();
    expect(types.check('c', 'n', { a: 'text' })).toBeUndefined();
  });

  it('go by the newest version, in whatever order versions come', () => {
    types.learn([version(2, { mode: 'observe' })]);
    types.learn([version(1)]);
    expect(types.check('c', 'n', { a: 1 })?.refused).toBe(false);
    types.learn([version(4, { schema: null, mode: null }), version(3)]);
    expect(types.check('c', 'n', { a: 1 })).toBeUndefined();
    expect(types.versionOf({ category: 'c', name: 'n' })).toBe(4);
    types.learn([version(5)]);
    expect(types.check('c', 'n', { a: 1 })?.refused).toBe(true);
  });

  it('take events rather than lose them where a schema cannot be compiled any more, and say so once', () => {
    const said = jest.spyOn(Logger.prototype, 'error').mockReturnValue();
    types.learn([version(1, { schema: '{"typo":1}' })]);
    for (let turn = 0; turn < 3; turn++) expect(types.check('c', 'n', { a: 1 })).toBeUndefined();
    expect(said.mock.calls).toEqual([
      [expect.stringMatching(/^Version 1 of \(c, n\) is not enforced: schema\.typo/)],
    ]);
    said.mockRestore();
  });
});
