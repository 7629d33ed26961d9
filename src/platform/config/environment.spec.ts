import { getMetadataStorage } from 'class-validator';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Environment, EnvironmentError, readEnvironment } from './environment.js';

/** Every variable that has a validation rule. */
const VARIABLES = [
  ...new Set(
    getMetadataStorage()
      .getTargetValidationMetadatas(Environment, '', false, false)
      .map(({ propertyName }) => propertyName),
  ),
];

function errorMessage(variables: Record<string, string>): string {
  try {
    readEnvironment(variables);
  } catch (error) {
    if (error instanceof EnvironmentError) return error.message;
    throw error;
  }
  return '';
}

describe('readEnvironment()', () => {
  it('returns the defaults for an empty environment', () => {
    expect(readEnvironment({})).toEqual(new Environment());
    expect(readEnvironment({})).toMatchObject({
      HOST: '127.0.0.1',
      PORT: 8000,
      ROLE: 'all',
      TEXT_LIMIT: 255,
    });
  });

  it('returns the values that are set, with numbers parsed', () => {
    const variables = {
      HOST: '0.0.0.0',
      PORT: '0',
      ROLE: 'api',
      AUTH: 'required',
      DATABASE_URL: 'postgres://user:secret@db/eye',
      REDIS_URL: 'unix:///run/redis.sock',
      DATA_DIR: '/var/lib/eye',
    };
    expect(readEnvironment(variables)).toMatchObject({ ...variables, PORT: 0 });
  });

  it.each(['', ' '])('treats a variable that holds %j as unset', (blank) => {
    expect(readEnvironment(Object.fromEntries(VARIABLES.map((name) => [name, blank])))).toEqual(
      new Environment(),
    );
  });

  it('ignores other variables', () => {
    expect(readEnvironment({ PATH: '/bin', constructor: 'x', MEGABYTE: '1', port: '1' })).toEqual(
      new Environment(),
    );
  });

  it('detects by the variable of npm that npm started the process', () => {
    expect(readEnvironment({ npm_lifecycle_event: 'start' }).startedByNpm).toBe(true);
    expect(readEnvironment({ startedByNpm: 'true' }).startedByNpm).toBe(false);
  });
});

describe('A variable whose name ends in _FILE', () => {
  let folder: string;
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'environment-'))));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };

  it.each(['', '\n', '\r\n'])(
    'sets the variable to the content of its file, without the end %j of the line',
    (end) => {
      const DATABASE_URL_FILE = file('url', `postgresql://u:p@db/eye${end}`);
      const PORT_FILE = file('port', `8010${end}`);
      expect(readEnvironment({ DATABASE_URL_FILE, PORT_FILE })).toMatchObject({
        DATABASE_URL: 'postgresql://u:p@db/eye',
        PORT: 8010,
      });
    },
  );

  it('works for every variable', () => {
    for (const name of VARIABLES) {
      const message = errorMessage({ [`${name}_FILE`]: file('value', 'secret\0') });
      // Some variables accept any text.
      if (message !== '') expect(message).toContain(name);
      expect(message).not.toContain('secret');
    }
  });

  it('is rejected beside the variable itself', () => {
    const REDIS_URL_FILE = file('both', 'redis://:secret@redis');
    const message = errorMessage({ REDIS_URL: 'redis://redis', REDIS_URL_FILE });
    expect(message).toContain('REDIS_URL and REDIS_URL_FILE cannot both be set');
    expect(message).not.toContain('secret');
  });

  it('is rejected by name when its file is missing, unreadable or empty', () => {
    const message = errorMessage({
      DATABASE_URL_FILE: join(folder, 'nowhere'),
      REDIS_URL_FILE: folder,
      AUTH_FILE: file('empty', ' \n'),
    });
    expect(message.split('\n').map((line) => line.trim())).toEqual([
      'AUTH_FILE names an empty file',
      'DATABASE_URL_FILE names a file that cannot be read (ENOENT)',
      'REDIS_URL_FILE names a file that cannot be read (EISDIR)',
    ]);
  });

  it.each(['', ' '])('is unset when it holds %j', (blank) => {
    expect(readEnvironment({ DATABASE_URL_FILE: blank })).toEqual(new Environment());
  });
});

describe('PORT of a process with ROLE=worker', () => {
  it('is the next port by default, so that the worker can run beside an API', () => {
    expect(readEnvironment({ ROLE: 'worker' }).PORT).toBe(8001);
    expect(readEnvironment({ ROLE: 'api' }).PORT).toBe(8000);
  });

  it('is the port that was set', () => {
    expect(readEnvironment({ ROLE: 'worker', PORT: '8000' }).PORT).toBe(8000);
  });
});

describe('AUTH', () => {
  it.each(['127.0.0.1', '127.255.0.9', '::1', 'localhost'])(
    'is off by default when HOST is %s, which only this machine can reach',
    (HOST) => {
      expect(readEnvironment({ HOST }).AUTH).toBe('off');
      expect(readEnvironment({ HOST, AUTH: 'required' }).AUTH).toBe('required');
    },
  );

  it.each(['0.0.0.0', '::', '10.0.0.1', '128.0.0.1', '127.0.0.1.example.org', 'eye.example.org'])(
    'must be set when HOST is %s, which other machines may reach',
    (HOST) => {
      for (const AUTH of ['', undefined]) {
        const message = errorMessage({ HOST, ...(AUTH !== undefined && { AUTH }) });
        expect(message).toMatch(/AUTH must be set.*AUTH=required.*npm run applications.*AUTH=off/);
        expect(message).not.toContain(HOST);
      }
      expect(readEnvironment({ HOST, AUTH: 'off' }).AUTH).toBe('off');
      expect(readEnvironment({ HOST, AUTH: 'required' }).AUTH).toBe('required');
    },
  );
});

describe('readEnvironment() of an invalid value', () => {
  const numbers = VARIABLES.filter(
    (name) => typeof new Environment()[name as keyof Environment] === 'number',
  );

  it.each([
    ...numbers.flatMap((name) => [
      [name, 'secret'],
      [name, '4242.5'],
      [name, '-4242'],
      [name, '99999999999'],
      [name, 'NaN'],
      [name, 'Infinity'],
    ]),
    ['PORT', '65536'],
    ['DEPTH_LIMIT', '1001'],
    ['TEXT_LIMIT', '0'],
    ['ROLE', 'secret'],
    ['ROLE', 'API'],
    ['AUTH', 'secret'],
    ['DATABASE_URL', 'mysql://user:secret@db/eye'],
    ['DATABASE_URL', 'secret'],
    ['REDIS_URL', 'http://:secret@redis'],
    ['REDIS_URL', 'redis:6379'],
    ['CLICKHOUSE_URL', 'clickhouse:9000'],
    ['CLICKHOUSE_URL', 'http://:secret@clickhouse/the_eye?secure=1'],
    ['CLICKHOUSE_URL', 'http://clickhouse/the-eye'],
  ])('names the variable %s but not its value %s', (name, value) => {
    const message = errorMessage({ [name]: value });
    expect(message).toContain(name);
    expect(message).not.toContain(value);
    expect(message).not.toContain('secret');
  });

  it('reports every invalid variable', () => {
    const message = errorMessage({ PORT: 'x', REDIS_URL: 'y', ROLE: 'z' });
    expect(message.split('\n')).toHaveLength(3);
  });
});

describe('docs/configuration.md', () => {
  it('lists every variable with its default, and no other', () => {
    const page = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');
    const rows = page.matchAll(/^\|\s*`([A-Z][A-Z0-9_]*)`\s*\|\s*(?:`([^`]*)`|—)?\s*\|/gm);
    const listed = Array.from(rows, ([, name, value]) => [name, value]);
    const defaults = new Environment();
    const expected = VARIABLES.map((name) => [name, defaults[name as keyof Environment]?.toString()]);
    expect(listed.sort()).toEqual(expected.sort());
  });
});
