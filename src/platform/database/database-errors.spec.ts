import { QueryFailedError } from 'typeorm';
import {
  DatabaseUnavailableError,
  isMisconfiguration,
  isOutage,
  isRowRejection,
  describeCause,
  sqlState,
} from './database-errors.js';

const failure = (code: string) => Object.assign(new Error(code), { code });

const kinds = (error: unknown) => ({
  refusal: isRowRejection(error),
  outage: isOutage(error),
  misconfiguration: isMisconfiguration(error),
});
const REFUSAL = { refusal: true, outage: false, misconfiguration: false };
const OUTAGE = { refusal: false, outage: true, misconfiguration: false };
const MISCONFIGURATION = { refusal: false, outage: false, misconfiguration: true };
const NEITHER = { refusal: false, outage: false, misconfiguration: false };

describe('an error of PostgreSQL', () => {
  it.each([
    ['22P05', 'untranslatable character', REFUSAL],
    ['23505', 'unique violation', REFUSAL],
    ['23514', 'check violation', REFUSAL],
    ['54000', 'index row too large', REFUSAL],
    ['44000', 'view with check option', REFUSAL],
    ['0A000', 'feature not supported', REFUSAL],
    ['P0001', 'raised by a trigger', REFUSAL],
    ['XX000', 'internal error', REFUSAL],
    ['08006', 'connection failure', OUTAGE],
    ['53100', 'disk full', OUTAGE],
    ['53300', 'too many connections', OUTAGE],
    ['57P01', 'admin shutdown', OUTAGE],
    ['57P03', 'starting up', OUTAGE],
    ['57014', 'statement timeout', OUTAGE],
    ['58030', 'input or output failed', OUTAGE],
    ['28P01', 'wrong password', MISCONFIGURATION],
    ['3D000', 'no such database', MISCONFIGURATION],
    ['40001', 'serialization failure', NEITHER],
    ['40P01', 'deadlock', NEITHER],
    ['42P01', 'no such table', NEITHER],
    ['25006', 'read-only transaction', NEITHER],
  ])('%s (%s) is told by its class', (code, _, expected) => {
    expect(sqlState(failure(code))).toBe(code);
    expect(kinds(failure(code))).toEqual(expected);
  });

  it('is found inside the error of a query', () => {
    const error = new QueryFailedError('SELECT 1', [], failure('23505'));
    expect(sqlState(error)).toBe('23505');
    expect(kinds(error)).toEqual(REFUSAL);
  });
});

describe('an error of anything else', () => {
  it.each(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'EPERM', 'ERR_SOCKET_CLOSED'])(
    '%s has no SQLSTATE: PostgreSQL could not be asked',
    (code) => {
      for (const error of [failure(code), new QueryFailedError('SELECT 1', [], failure(code))]) {
        expect(sqlState(error)).toBeUndefined();
        expect(kinds(error)).toEqual(OUTAGE);
      }
    },
  );

  it.each([
    ['an error without a code', new Error('Connection terminated')],
    ['a code that is a number', Object.assign(new Error(), { code: 23505 })],
    ['our own', new DatabaseUnavailableError()],
    ['undefined', undefined],
    ['null', null],
    ['a text', '23505'],
  ])('%s has none either', (_, error) => {
    expect(sqlState(error)).toBeUndefined();
    expect(kinds(error)).toEqual(OUTAGE);
  });
});

describe('the reason', () => {
  it.each([
    [new DatabaseUnavailableError(), 'no answer in time'],
    [new DatabaseUnavailableError({ cause: failure('disk full') }), 'disk full'],
    [Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
  ])('of %s is named', (error, reason) => {
    expect(describeCause(error)).toBe(reason);
  });
});
