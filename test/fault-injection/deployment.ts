import type { NetConnectOpts } from 'node:net';
import { Link } from '../support/link.js';
import { PgBouncer } from '../support/pgbouncer.js';
import { OwnClickHouse, OwnPostgres, OwnRedis } from '../support/servers.js';
import { shiftedClock } from '../support/shifted-clock.js';
import { SmallDisk } from '../support/small-disk.js';
import { TheEye } from '../../testing/the-eye.js';

export interface Shape {
  apis?: number;
  workers?: number;
  /** Clock offset of each process in milliseconds, the APIs first. */
  clocks?: number[];
  /** Gives PostgreSQL and Redis a small disk each. */
  smallDisks?: boolean;
  /** Puts PgBouncer in transaction mode before PostgreSQL. */
  pgBouncer?: boolean;
  /** Copies the events to a ClickHouse. */
  clickhouse?: boolean;
}

/** A ClickHouse that only the test restarts, and the connections to it. */
export interface CopyTarget {
  readonly server: OwnClickHouse;
  readonly link: Link;
}

/** An empty PostgreSQL needs about 60 MiB. */
const POSTGRES_DISK_MIB = 512;
const REDIS_DISK_MIB = 128;

/** Short timeouts in milliseconds, so that short faults exceed them. */
const TIMEOUTS = { QUERY_TIMEOUT: '2000', STORE_TIMEOUT: '5000' };

/**
 * The Eye as in a cluster: APIs and workers in separate processes, with a PostgreSQL and a Redis that only the test
 * restarts, connected by links that the test can cut.
 */
export class Deployment {
  private static readonly open = new Set<Deployment>();
  /** Primaries before a failover. */
  private readonly retired: OwnPostgres[] = [];

  private constructor(
    public postgres: OwnPostgres,
    readonly redis: OwnRedis,
    readonly toPostgres: Link,
    readonly toRedis: Link,
    readonly apis: readonly TheEye[],
    readonly workers: readonly TheEye[],
    private readonly disks: { postgres?: SmallDisk; redis?: SmallDisk },
    private readonly pgBouncer: PgBouncer | undefined,
    readonly copyTarget: CopyTarget | undefined,
  ) {}

  static async start({
    apis = 1,
    workers = 1,
    clocks = [],
    smallDisks,
    pgBouncer,
    clickhouse,
  }: Shape): Promise<Deployment> {
    const disks = smallDisks
      ? { postgres: await SmallDisk.mount(POSTGRES_DISK_MIB), redis: await SmallDisk.mount(REDIS_DISK_MIB) }
      : {};
    const postgres = await OwnPostgres.start(disks.postgres?.folder);
    const redis = await OwnRedis.start({}, disks.redis?.folder);
    const bouncer = pgBouncer ? await PgBouncer.start(postgres) : undefined;
    const toPostgres = await Link.open(bouncer ? bouncer.address : { path: postgres.socket });
    const toRedis = await Link.open({ path: redis.socket });
    const copyTarget = clickhouse ? await startClickHouse() : undefined;
    const env = {
      ...TIMEOUTS,
      ...(copyTarget && { CLICKHOUSE_URL: `http://127.0.0.1:${copyTarget.link.port}/the_eye` }),
      DATABASE_URL: `postgresql://the_eye@127.0.0.1:${toPostgres.port}/the_eye`,
      REDIS_URL: `redis://127.0.0.1:${toRedis.port}`,
    };
    const roles = [...Array<string>(apis).fill('api'), ...Array<string>(workers).fill('worker')];
    const processes = await Promise.all(
      roles.map((ROLE, index) =>
        TheEye.start({ ...env, ROLE, ...(clocks[index] && { NODE_OPTIONS: shiftedClock(clocks[index]) }) }),
      ),
    );
    const started = [processes.slice(0, apis), processes.slice(apis)] as const;
    const deployment = new Deployment(
      postgres,
      redis,
      toPostgres,
      toRedis,
      ...started,
      disks,
      bouncer,
      copyTarget,
    );
    Deployment.open.add(deployment);
    return deployment;
  }

  /** Closes all deployments after a signal. */
  static async closeAll(): Promise<void> {
    await Promise.all([...Deployment.open].map((deployment) => deployment.close()));
  }

  get processes(): TheEye[] {
    return [...this.apis, ...this.workers];
  }

  /** Descriptions of APIs and workers that exited without being killed by a fault. */
  get deaths(): string[] {
    return [
      ...this.apis.flatMap(({ deaths }) => deaths.map((death) => `an API ${death}`)),
      ...this.workers.flatMap(({ deaths }) => deaths.map((death) => `a worker ${death}`)),
    ];
  }

  get clickhouse(): CopyTarget {
    if (!this.copyTarget) throw new Error('This deployment has no ClickHouse.');
    return this.copyTarget;
  }

  diskOf(server: 'postgres' | 'redis'): SmallDisk {
    const disk = this.disks[server];
    if (!disk) throw new Error('This deployment has no small disks.');
    return disk;
  }

  /** Fails over to a new standby. Sessions to the old primary stay open, which can then only be read. */
  async failOver(): Promise<void> {
    const old = this.postgres;
    this.postgres = await old.startStandby();
    this.retired.push(old);
    await old.failOverTo(this.postgres);
    this.toPostgres.redirect(this.postgresAddress);
  }

  private get postgresAddress(): NetConnectOpts {
    return this.pgBouncer?.address ?? { path: this.postgres.socket };
  }

  /** Repairs everything that a fault may have left broken: restarts killed processes and resumes suspended ones. */
  async heal(): Promise<void> {
    for (const disk of Object.values(this.disks)) await disk.clear();
    for (const link of [this.toPostgres, this.toRedis, this.copyTarget?.link]) link?.fix();
    this.toPostgres.redirect(this.postgresAddress);
    for (const server of [this.postgres, this.redis, this.copyTarget?.server]) {
      await server?.thaw();
      await server?.start();
    }
    await this.redis.set({ maxmemory: '0' });
    await Promise.all(
      this.processes.map(async (eye) => {
        eye.process.kill('SIGCONT');
        if (!eye.runs) await eye.start();
      }),
    );
  }

  async close(): Promise<void> {
    if (!Deployment.open.delete(this)) return;
    for (const eye of this.processes) eye.process.kill('SIGCONT');
    await Promise.all(this.processes.map((eye) => eye.close()));
    await Promise.all([this.toPostgres.close(), this.toRedis.close(), this.copyTarget?.link.close()]);
    await this.pgBouncer?.close();
    await Promise.all([this.postgres, this.redis, ...this.retired].map((server) => server.close()));
    await this.copyTarget?.server.close();
    for (const disk of Object.values(this.disks)) await disk.unmount();
  }
}

async function startClickHouse(): Promise<CopyTarget> {
  const server = await OwnClickHouse.start();
  return { server, link: await Link.open({ path: server.socket }) };
}
