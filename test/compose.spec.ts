import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT } from './support/pages.js';

interface Service {
  readonly build?: string;
  readonly image: string;
  readonly user?: string;
  readonly cap_add?: string[];
  readonly environment?: Record<string, string | null>;
  readonly networks?: string[];
  readonly ports?: string[];
  readonly volumes?: string[];
  readonly [option: string]: unknown;
}

const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
const { services, networks } = parse(read('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean }>;
};
const all = Object.entries(services);
const namesOf = (matches: (service: Service) => boolean): string[] =>
  all.filter(([, service]) => matches(service)).map(([name]) => name);

describe('docker-compose.yml', () => {
  it.each(all)('gives the service %s no privileges, and bounds its memory and processes', (_, service) => {
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      pids_limit: expect.any(Number),
      mem_limit: expect.stringMatching(/^\d+[mg]$/),
    });
  });

  it('lets only the service that makes the secrets run as root', () => {
    expect(namesOf(({ user }) => user === 'root')).toEqual(['secrets']);
    expect(namesOf(({ cap_add }) => cap_add !== undefined)).toEqual(['secrets']);
  });

  it('pins every image that it does not build by digest, as the Dockerfile does', () => {
    const used = all.filter(([, { build }]) => build === undefined).map(([, { image }]) => image);
    const bases = [...read('Dockerfile').matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
    expect(bases).toHaveLength(3);
    for (const image of [...used, ...bases]) expect(image).toMatch(/^[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}$/);
  });

  it('keeps PostgreSQL, Redis and ClickHouse in a network without a way out, and publishes ports to this machine only', () => {
    expect(networks['stores']?.internal).toBe(true);
    expect(namesOf((service) => service.networks?.join() === 'stores')).toEqual([
      'roles',
      'postgres',
      'redis',
      'clickhouse',
    ]);
    expect(namesOf(({ ports }) => ports !== undefined)).toEqual(['api', 'prometheus', 'grafana']);
    for (const [, { ports = [] }] of all) for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('contains no password, and shows each service only its own secrets', () => {
    for (const [, { environment = {} }] of all)
      for (const [name, value] of Object.entries(environment))
        if (/PASSWORD|SECRET|KEY|DATABASE_URL|REDIS_URL|CLICKHOUSE_URL/.test(name))
          expect(value).toMatch(/^\/secrets\/|^\$\{/);
    const readers = (volume: string): string[] =>
      namesOf(({ volumes }) => volumes?.some((line) => line.startsWith(`${volume}:`)) ?? false);
    expect(readers('eye-secrets')).toEqual(['api', 'worker', 'secrets']);
    expect(readers('postgres-secrets')).toEqual(['secrets', 'roles', 'postgres']);
    expect(readers('redis-secrets')).toEqual(['secrets', 'redis']);
    expect(readers('clickhouse-secrets')).toEqual(['secrets', 'clickhouse']);
  });

  it('gives the role of The Eye in ClickHouse the rights that docs/sql.md names', () => {
    const named = [...read('docs/sql.md').matchAll(/^(GRANT .*) TO the_eye;$/gm)].map(([, grant]) => grant);
    const given = [...read('docker/make-secrets.sh').matchAll(/<query>(GRANT .*)<\/query>/g)].map(
      ([, grant]) => grant,
    );
    expect(given).toEqual(named);
    expect(given.length).toBeGreaterThan(0);
  });
});
