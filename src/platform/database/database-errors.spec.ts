import { QueryFailedError } from 'typeorm';
import {
  DatabaseUnavailableError,
  describeCause,
  isMisconfiguration,
  ReadOnlyError,
  sqlState,
  UnusableDatabaseError,
  type FailureKind,
  failureKindOf,
} from './database-errors.js';

const failure = (code: string, fields: object = {}) =>
  Object.assign(new Error(code), { code, severity: 'ERROR', ...fields });

/**
 * Every class of https://www.postgresql.org/docs/18/errcodes-appendix.html, by one or more of its codes. What PostgreSQL
 * raises a code for is in its source, src/backend/utils/errcodes.txt and the calls of ereport().
 */
const TABLE: readonly [code: string, name: string, kind: FailureKind][] = [
  ['03000', 'SQL statement not yet complete', 'unknown'],
  ['08000', 'connection exception', 'outage'],
  ['08006', 'connection failure', 'outage'],
  ['08P01', 'protocol violation; PgBouncer responds with it', 'outage'],
  ['09000', 'triggered action exception', 'unknown'],
  ['0A000', 'feature not supported, e.g. a cached plan whose result type changed', 'unknown'],
  ['0B000', 'invalid transaction initiation', 'unknown'],
  ['0F000', 'locator exception', 'unknown'],
  ['0L000', 'invalid grantor', 'unknown'],
  ['0P000', 'invalid role specification', 'unknown'],
  ['0Z000', 'diagnostics exception', 'unknown'],
  ['10608', 'invalid argument of xquery', 'unknown'],
  ['20000', 'case not found', 'unknown'],
  ['21000', 'cardinality violation', 'unknown'],
  ['22003', 'numeric value out of range', 'refusal'],
  ['22021', 'character not in repertoire', 'refusal'],
  ['22P05', 'untranslatable character', 'refusal'],
  ['23502', 'not-null violation', 'refusal'],
  ['23505', 'unique violation', 'refusal'],
  ['23P01', 'exclusion violation', 'refusal'],
  ['24000', 'invalid cursor state', 'unknown'],
  ['25006', 'read-only transaction: a standby, or a demoted primary', 'outage'],
  ['25P02', 'in a failed transaction: a session that a pooler mixed up', 'outage'],
  ['25P03', 'idle in transaction for too long', 'outage'],
  ['26000', 'no such prepared statement: a session that a pooler mixed up', 'outage'],
  ['27000', 'triggered data change violation', 'unknown'],
  ['28000', 'invalid authorization', 'misconfiguration'],
  ['28P01', 'invalid password', 'misconfiguration'],
  ['2B000', 'dependent privileges', 'unknown'],
  ['2D000', 'invalid transaction termination', 'unknown'],
  ['2F005', 'function ended without RETURN', 'unknown'],
  ['34000', 'invalid cursor name', 'unknown'],
  ['38000', 'external routine exception', 'unknown'],
  ['39P01', 'trigger protocol violated', 'unknown'],
  ['3B001', 'invalid savepoint', 'unknown'],
  ['3D000', 'no such database', 'misconfiguration'],
  ['3F000', 'no such schema', 'unknown'],
  ['40001', 'serialization failure, or a conflict with the recovery of a standby', 'conflict'],
  ['40003', 'statement completion unknown', 'conflict'],
  ['40P01', 'deadlock', 'conflict'],
  ['42501', 'insufficient privilege', 'unknown'],
  ['42P01', 'no such table', 'unknown'],
  ['44000', 'CHECK option of a view', 'refusal'],
  ['53100', 'disk full', 'outage'],
  ['53200', 'out of memory', 'outage'],
  ['53300', 'too many connections', 'outage'],
  ['54000', 'index row too large', 'refusal'],
  ['54001', 'statement too complex: a payload that is nested too deeply', 'refusal'],
  ['55000', 'object not in prerequisite state', 'unknown'],
  ['55006', 'object in use', 'unknown'],
  ['55P03', 'lock not available', 'conflict'],
  ['57014', 'query canceled', 'outage'],
  ['57P01', 'admin shutdown', 'outage'],
  ['57P03', 'cannot connect now', 'outage'],
  ['58030', 'input or output failed', 'outage'],
  ['58P01', 'undefined file', 'outage'],
  ['72000', 'snapshot too old', 'conflict'],
  ['F0001', 'lock file exists', 'outage'],
  ['HV000', 'foreign data wrapper error', 'unknown'],
  ['P0000', 'error of PL/pgSQL', 'unknown'],
  ['P0001', 'raised by a trigger', 'refusal'],
  ['P0004', 'assertion failed', 'unknown'],
  ['XX000', 'internal error', 'unknown'],
  ['XX001', 'data corrupted', 'unknown'],
  ['XX002', 'index corrupted', 'unknown'],
  ['ZZ999', 'a code that does not exist', 'unknown'],
];

describe('An error of PostgreSQL', () => {
  it.each(TABLE)('with SQLSTATE %s (%s) means %s', (code, _, kind) => {
    expect(sqlState(failure(code))).toBe(code);
    expect(failureKindOf(failure(code))).toBe(kind);
    expect(isMisconfiguration(failure(code))).toBe(kind === 'misconfiguration');
  });

  it.each(TABLE)('of severity FATAL with SQLSTATE %s (%s) says nothing of an event', (code, _, kind) => {
    for (const severity of ['FATAL', 'PANIC'])
      expect(failureKindOf(failure(code, { severity }))).toBe(
        kind === 'misconfiguration' ? 'misconfiguration' : 'outage',
      );
  });

  it('is a refusal for a CHECK, which has a name, and not for a row without a partition', () => {
    // "new row for relation … violates check constraint" names it, "no partition of relation … found for row" does not:
    // ExecConstraints() and ExecFindPartition() in src/backend/executor.
    expect(failureKindOf(failure('23514', { constraint: 'events_name_check' }))).toBe('refusal');
    expect(failureKindOf(failure('23514'))).toBe('unplaced');
  });

  it('is classified inside a QueryFailedError', () => {
    const error = new QueryFailedError('SELECT 1', [], failure('23505'));
    expect(sqlState(error)).toBe('23505');
    expect(failureKindOf(error)).toBe('refusal');
  });
});

describe('An error that does not come from PostgreSQL', () => {
  it.each([
    'ENOENT',
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
    'EPERM',
    'ERR_SOCKET_CLOSED',
    'CERT_HAS_EXPIRED',
  ])('has no SQLSTATE and is an outage: the code %s', (code) => {
    for (const error of [failure(code), new QueryFailedError('SELECT 1', [], failure(code))]) {
      expect(sqlState(error)).toBeUndefined();
      expect(failureKindOf(error)).toBe('outage');
    }
  });

  it.each([
    ['an error without a code', new Error('Connection terminated')],
    ['a code that is a number', Object.assign(new Error(), { code: 23505 })],
    ['DatabaseUnavailableError', new DatabaseUnavailableError()],
    ['ReadOnlyError', new ReadOnlyError()],
    ['undefined', undefined],
    ['null', null],
    ['a string', '23505'],
  ])('has no SQLSTATE and is an outage: %s', (_, error) => {
    expect(sqlState(error)).toBeUndefined();
    expect(failureKindOf(error)).toBe('outage');
  });

  it.each([
    ['a value that is not there', () => (undefined as unknown as { at: string }).at.length],
    ['a text that is no JSON', () => JSON.parse('{')],
  ])('is a fault of this program: %s', (_, fails) => {
    let error: unknown;
    try {
      fails();
    } catch (thrown) {
      error = thrown;
    }
    expect(failureKindOf(error)).toBe('fault');
  });

  it.each([
    ['a certificate of another name', failure('ERR_TLS_CERT_ALTNAME_INVALID')],
    ['a certificate of an unknown authority', failure('SELF_SIGNED_CERT_IN_CHAIN')],
    ['a certificate whose issuer the server did not send', failure('UNABLE_TO_VERIFY_LEAF_SIGNATURE')],
    ['a server without TLS', new Error('The server does not support SSL connections')],
    ['a database of another encoding', new UnusableDatabaseError('LATIN1')],
  ])('is a misconfiguration: %s', (_, error) => {
    expect(failureKindOf(error)).toBe('misconfiguration');
  });
});

describe('describeCause()', () => {
  it.each([
    [new DatabaseUnavailableError(), 'no response in time'],
    [new DatabaseUnavailableError({ cause: failure('53100') }), '53100 [53100]'],
    [Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
  ])('names the cause of %s', (error, reason) => {
    expect(describeCause(error)).toBe(reason);
  });
});
