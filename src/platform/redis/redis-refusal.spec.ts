import { describeConnectionError, refusalOf, refusesConnection } from './redis-refusal.js';

describe('refusalOf', () => {
  it.each([
    ['WRONGPASS invalid username-password pair or user is disabled.', 'WRONGPASS', true],
    ['ERR invalid password', 'WRONGPASS', true],
    ['NOAUTH Authentication required.', 'NOAUTH', true],
    ["READONLY You can't write against a read only replica.", 'READONLY', true],
    ["CROSSSLOT Keys in request don't hash to the same slot", 'CROSSSLOT', true],
    ['MOVED 3999 127.0.0.1:6381', 'MOVED', true],
    ["NOPERM this user has no permissions to run the 'info' command", 'NOPERM', false],
    [
      "ERR The user executing the script can't run this command or subcommand script: 7f9, on @user_script:1.",
      'NOPERM',
      false,
    ],
    ["OOM command not allowed when used memory > 'maxmemory'. script: 7f9, on @user_script:1.", 'OOM', false],
    ['ERR Error running script (call to f_7f9): @user_script:1: -OOM command not allowed', 'OOM', false],
    ['MISCONF Errors writing to the AOF file: No space left on device', 'MISCONF', false],
    ['NOREPLICAS Not enough good replicas to write.', 'NOREPLICAS', false],
    ['LOADING Redis is loading the dataset in memory', 'LOADING', false],
  ])('recognises %s', (message, code, ofConnection) => {
    const refusal = refusalOf(new Error(message));
    expect(refusal?.code).toBe(code);
    expect(refusal?.reason).toMatch(`(${code})`);
    expect(refusal && refusesConnection(refusal)).toBe(ofConnection);
  });

  it.each(['Command timed out', 'Connection is closed.', 'ERR unknown command', 'connect ECONNREFUSED'])(
    'does not take %s for a refusal',
    (message) => expect(refusalOf(new Error(message))).toBeUndefined(),
  );
});

describe('describeConnectionError', () => {
  it.each([
    [undefined, 'Redis cannot be reached'],
    ['ECONNREFUSED', 'Redis cannot be reached (ECONNREFUSED)'],
    [
      'SELF_SIGNED_CERT_IN_CHAIN',
      'Redis has a certificate of an unknown issuer; name the CA by ?cacert=file in REDIS_URL (SELF_SIGNED_CERT_IN_CHAIN)',
    ],
  ])('of the code %s is "%s"', (code, description) => {
    expect(describeConnectionError(Object.assign(new Error('at 10.0.0.1'), { code }))).toBe(description);
  });
});
