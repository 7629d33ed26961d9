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
  rowRejection: isRowRejection(error),
  outage: isOutage(error),
  misconfiguration: isMisconfiguration(error),
});
const ROW_REJECTION = { rowRejection: true, outage: false, misconfiguration: false };
const OUTAGE = { rowRejection: false, outage: true, misconfiguration: false };
const MISCONFIGURATION = { rowRejection: false, outage: false, misconfiguration: true };
const NEITHER = { rowRejection: false, outage: false, misconfiguration: false };

describe('An error of PostgreSQL', () => {
  it.each([
    ['22P05', 'untranslatable character', ROW_REJECTION],
    ['23505', 'unique violation', ROW_REJECTION],
    ['23514', 'check violation', ROW_REJECTION],
    ['54000', 'index row too large', ROW_REJECTION],
    ['44000', 'view with check option', ROW_REJECTION],
    ['0A000', 'feature not supported', ROW_REJECTION],
    ['P0001', 'raised by a trigger', ROW_REJECTION],
    ['XX000', 'internal error', ROW_REJECTION],
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
  ])('%s (%s) is classified by its SQLSTATE', (code, _, expected) => {
    expect(sqlState(failure(code))).toBe(code);
    expect(kinds(failure(code))).toEqual(expected);
  });

  it('is classified inside a QueryFailedError', () => {
    const error = new QueryFailedError('SELECT 1', [], failure('23505'));
    expect(sqlState(error)).toBe('23505');
    expect(kinds(error)).toEqual(ROW_REJECTION);
  });
});

describe('An error that does not come from PostgreSQL', () => {
  it.each(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'EPERM', 'ERR_SOCKET_CLOSED'])(
    'has no SQLSTATE and is an outage: the code %s',
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
    ['DatabaseUnavailableError', new DatabaseUnavailableError()],
    ['undefined', undefined],
    ['null', null],
    ['a string', '23505'],
  ])('has no SQLSTATE and is an outage: %s', (_, error) => {
    expect(sqlState(error)).toBeUndefined();
    expect(kinds(error)).toEqual(OUTAGE);
  });
});

describe('describeCause()', () => {
  it.each([
    [new DatabaseUnavailableError(), 'no response in time'],
    [new DatabaseUnavailableError({ cause: failure('disk full') }), 'disk full'],
    [Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
  ])('names the cause of %s', (error, reason) => {
    expect(describeCause(error)).toBe(reason);
  });
});
