import { Logger } from '@nestjs/common';
import { jest } from '@jest/globals';
import { AuthenticationFailures } from './authentication-failures.js';

describe('AuthenticationFailures', () => {
  let failures: AuthenticationFailures;
  let lines: string[];
  beforeEach(() => {
    jest.useFakeTimers();
    lines = [];
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((line: unknown) => void lines.push(String(line)));
    failures = new AuthenticationFailures();
  });
  afterEach(() => {
    jest.useRealTimers();
    jest.restoreAllMocks();
  });

  const fail = (ip: string, times = 1): void => {
    for (let time = 0; time < times; time++) failures.record(ip, 'unknown');
  };

  it('refuses an address after 60 wrong keys in a minute, and no other', () => {
    fail('192.0.2.1', 59);
    failures.refuseIfLimited('192.0.2.1');
    fail('192.0.2.1');
    expect(() => failures.refuseIfLimited('192.0.2.1')).toThrow(
      expect.objectContaining({ code: 'rate_limited', retryAfterSeconds: 60 }),
    );
    failures.refuseIfLimited('192.0.2.2');
    jest.advanceTimersByTime(60_000);
    failures.refuseIfLimited('192.0.2.1');
  });

  it('takes the addresses of an IPv6 /64 for one', () => {
    for (let host = 1; host <= 60; host++) fail(`2001:db8::${host}`);
    expect(() => failures.refuseIfLimited('2001:db8::ffff')).toThrow();
    failures.refuseIfLimited('2001:db8:0:1::1');
  });

  it('does not count requests without a key against their address', () => {
    for (let time = 0; time < 100; time++) failures.record('192.0.2.1', 'missing');
    failures.refuseIfLimited('192.0.2.1');
    jest.advanceTimersByTime(60_000);
    expect(lines).toEqual([]);
  });

  it('logs one summary a minute', () => {
    fail('192.0.2.1', 3);
    fail('192.0.2.2', 60);
    expect(() => failures.refuseIfLimited('192.0.2.2')).toThrow();
    jest.advanceTimersByTime(59_000);
    expect(lines).toEqual([]);
    jest.advanceTimersByTime(120_000);
    expect(lines).toEqual([
      'Requests with wrong keys in the last minute: 64; addresses: 2; most, 61, from 192.0.2.2.',
    ]);
  });

  it('counts ten thousand addresses and then all further ones together', () => {
    for (let address = 0; address < 10_060; address++) fail(`10.1.${address >> 8}.${address & 255}`);
    failures.refuseIfLimited('10.1.0.0');
    expect(() => failures.refuseIfLimited('192.0.2.1')).toThrow();
  });
});
