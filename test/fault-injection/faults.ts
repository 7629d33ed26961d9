import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Load } from '../support/load.js';
import type { Random } from '../../testing/random.js';
import { SmallDisk } from '../support/small-disk.js';
import { PgBouncer } from '../support/pgbouncer.js';
import { tooManyClients } from '../support/pooler.js';
import { OwnPostgres, type OwnServer } from '../support/servers.js';
import { anEvent, TheEye } from '../../testing/the-eye.js';
import { cutExport } from './cut-export.js';
import { killWorkersOnOneJob } from './one-job.js';
import type { Deployment, Shape } from './deployment.js';

export interface Fault {
  name: string;
  /** Included in the short version, because no other spec in CI covers it. */
  short?: boolean;
  /** A round takes much longer than usual, so that fewer are run. */
  slow?: boolean;
  shape?: Shape;
  /** Why the fault cannot be injected on this machine, or undefined if it can. */
  unavailable?: () => Promise<string | undefined>;
  /** Breaks something at a random moment of a load. The caller then heals what is still broken. */
  inject(deployment: Deployment, random: Random, load: Load): Promise<void>;
}

/** The lock of a worker on a job expires after 15 seconds. All other timeouts of API and worker are shorter. */
const BEYOND_JOB_LOCK_MS = [16_000, 20_000] as const;
const OUTAGE_MS = [0, 3000] as const;
/** The claim of a worker that copies expires after 20 seconds. */
const BEYOND_CLAIM_MS = [21_000, 24_000] as const;

/** Events are copied to a ClickHouse by two workers, one at a time. */
const COPYING: Shape = { workers: 2, clickhouse: true };

/** A server is killed and stays away for a moment. */
const killed =
  (serverOf: (deployment: Deployment) => OwnServer): Fault['inject'] =>
  async (deployment, random) => {
    await serverOf(deployment).kill();
    await wait(random.between(...OUTAGE_MS));
  };

const frozen =
  (
    serverOf: (deployment: Deployment) => OwnServer,
    duration: readonly [min: number, max: number],
  ): Fault['inject'] =>
  async (deployment, random) => {
    await serverOf(deployment).freeze();
    await wait(random.between(...duration));
  };

const workerFrozen =
  (duration: readonly [min: number, max: number]): Fault['inject'] =>
  async ({ workers }, random) => {
    random.of(workers).process.kill('SIGSTOP');
    await wait(random.between(...duration));
  };

export const FAULTS: readonly Fault[] = [
  {
    name: 'SIGKILL of the API',
    inject: ({ apis }, random) => kill(random.of(apis), random),
  },
  {
    name: 'SIGKILL of a worker',
    shape: { workers: 2 },
    inject: ({ workers }, random) => kill(random.of(workers), random),
  },
  {
    name: 'SIGKILL of Redis',
    inject: killed(({ redis }) => redis),
  },
  {
    name: 'SIGKILL of PostgreSQL',
    inject: killed(({ postgres }) => postgres),
  },
  {
    name: 'SIGKILL of all at once',
    inject: async ({ postgres, redis, processes }, random) => {
      await Promise.all([postgres.kill(), redis.kill(), ...processes.map((eye) => eye.end('SIGKILL'))]);
      await wait(random.between(0, 500));
    },
  },
  {
    name: 'SIGKILL of each of two APIs and three workers, one after the other',
    shape: { apis: 2, workers: 3 },
    inject: async (deployment, random) => {
      for (const eye of random.shuffled(deployment.processes)) {
        await kill(eye, random);
        await deployment.heal();
      }
    },
  },
  {
    name: 'a worker killed ten times on the same job',
    slow: true,
    inject: (deployment) => killWorkersOnOneJob(deployment, 10),
  },
  {
    name: 'a worker frozen (SIGSTOP) until it has lost its jobs',
    slow: true,
    shape: { workers: 2 },
    inject: workerFrozen(BEYOND_JOB_LOCK_MS),
  },
  {
    name: 'Redis frozen (SIGSTOP) for longer than every time-out',
    slow: true,
    inject: frozen(({ redis }) => redis, BEYOND_JOB_LOCK_MS),
  },
  {
    name: 'PostgreSQL frozen (SIGSTOP) for longer than every time-out',
    slow: true,
    inject: frozen(({ postgres }) => postgres, BEYOND_JOB_LOCK_MS),
  },
  {
    name: 'Redis at its memory limit',
    short: true,
    inject: async ({ redis, workers }, random) => {
      // Below the used memory, or above it, so that the backlog of suspended workers reaches the limit.
      if (random.chance(0.5)) for (const worker of workers) worker.process.kill('SIGSTOP');
      const limit = Math.round((await redis.usedMemory()) * random.between(0.9, 1.2));
      await redis.set({ maxmemory: String(limit) });
      await wait(random.between(500, 4000));
    },
  },
  {
    name: 'the disk full under Redis',
    short: true,
    shape: { smallDisks: true },
    unavailable: () => SmallDisk.unavailable(),
    inject: (deployment, random) => fillDisk(deployment, 'redis', random),
  },
  {
    name: 'the disk full under PostgreSQL',
    short: true,
    shape: { smallDisks: true },
    unavailable: () => SmallDisk.unavailable(),
    inject: (deployment, random) => fillDisk(deployment, 'postgres', random),
  },
  {
    name: 'senders that hang up in the middle',
    short: true,
    inject: async ({ apis }, random, load) => {
      for (let sender = 0; sender < 20; sender++) await hangUp(random.of(apis), random, load, sender);
    },
  },
  {
    name: 'connections to Redis cut',
    short: true,
    inject: async ({ toRedis }, random) => {
      for (let cut = 0; cut < 5; cut++) {
        toRedis.cut();
        await wait(random.between(0, 300));
      }
    },
  },
  {
    name: 'connections to PostgreSQL cut',
    short: true,
    inject: async ({ toPostgres }, random) => {
      for (let cut = 0; cut < 5; cut++) {
        toPostgres.cut();
        await wait(random.between(0, 300));
      }
    },
  },
  {
    name: 'Redis out of reach',
    inject: async ({ toRedis }, random) => {
      toRedis.sever();
      await wait(random.between(...OUTAGE_MS));
    },
  },
  {
    name: 'Redis demoted to a replica, and promoted again',
    inject: async ({ redis }, random) => {
      await redis.demote();
      await wait(random.between(...OUTAGE_MS));
      await redis.promote();
    },
  },
  {
    name: 'the password of Redis changed, and changed back',
    inject: async ({ redis, toRedis }, random) => {
      const undo = await redis.changePassword();
      toRedis.cut();
      await wait(random.between(...OUTAGE_MS));
      await undo();
    },
  },
  {
    name: 'PostgreSQL out of reach',
    inject: async ({ toPostgres }, random) => {
      toPostgres.sever();
      await wait(random.between(...OUTAGE_MS));
    },
  },
  {
    name: 'clocks a minute apart',
    short: true,
    shape: { apis: 2, workers: 2, clocks: [30_000, -30_000, -30_000, 30_000] },
    inject: ({ processes }, random) => kill(random.of(processes), random),
  },
  {
    name: 'connections to Redis half open',
    short: true,
    inject: async ({ toRedis }) => {
      toRedis.forget();
      // Long enough for the timeouts to detect it.
      await wait(2000);
    },
  },
  {
    name: 'connections to PostgreSQL half open',
    short: true,
    inject: async ({ toPostgres }) => {
      toPostgres.forget();
      await wait(2000);
    },
  },
  {
    name: 'failover to a promoted standby behind a proxy that keeps old sessions',
    inject: async (deployment, random) => {
      await deployment.failOver();
      await wait(random.between(0, 3000));
    },
  },
  {
    name: 'PgBouncer in transaction mode, and SIGKILL of one of two APIs and two workers',
    shape: { apis: 2, workers: 2, pgBouncer: true },
    unavailable: () => Promise.resolve(PgBouncer.unavailable()),
    inject: ({ processes }, random) => kill(random.of(processes), random),
  },
  {
    name: 'a pooler that refuses connections (FATAL XX000)',
    inject: async ({ toPostgres }, random) => {
      for (let cut = 0; cut < 3; cut++) {
        toPostgres.refuse(tooManyClients());
        toPostgres.cut();
        await wait(random.between(0, 1500));
        toPostgres.fix();
        await wait(random.between(0, 300));
      }
    },
  },
  {
    name: 'a database of the wrong encoding',
    slow: true,
    inject: misleadToWrongEncoding,
  },
  {
    name: 'an export over HTTP/1.0 cut in the middle',
    inject: cutExport,
  },
  {
    name: 'SIGKILL of ClickHouse while events are copied and removed',
    shape: COPYING,
    inject: killed(({ clickhouse }) => clickhouse.server),
  },
  {
    name: 'ClickHouse frozen (SIGSTOP) while events are copied and removed',
    slow: true,
    shape: COPYING,
    inject: frozen(({ clickhouse }) => clickhouse.server, BEYOND_CLAIM_MS),
  },
  {
    name: 'connections to ClickHouse cut while events are copied and removed',
    shape: COPYING,
    inject: async ({ clickhouse }, random) => {
      for (let cut = 0; cut < 5; cut++) {
        clickhouse.link.cut();
        await wait(random.between(0, 600));
      }
    },
  },
  {
    name: 'SIGKILL of a worker while events are copied and removed',
    shape: COPYING,
    inject: ({ workers }, random) => kill(random.of(workers), random),
  },
  {
    name: 'a worker frozen (SIGSTOP) while events are copied and removed, until another one copies',
    slow: true,
    shape: COPYING,
    inject: workerFrozen(BEYOND_CLAIM_MS),
  },
  {
    name: 'SIGKILL of PostgreSQL while events are copied and removed',
    shape: COPYING,
    inject: killed(({ postgres }) => postgres),
  },
  {
    name: 'PostgreSQL frozen (SIGSTOP) while events are copied and removed',
    slow: true,
    shape: COPYING,
    inject: frozen(({ postgres }) => postgres, BEYOND_JOB_LOCK_MS),
  },
  {
    name: 'SIGKILL of all at once, ClickHouse included, while events are copied and removed',
    shape: COPYING,
    inject: async ({ postgres, redis, clickhouse, processes }, random) => {
      await Promise.all([
        ...[postgres, redis, clickhouse.server].map((server) => server.kill()),
        ...processes.map((eye) => eye.end('SIGKILL')),
      ]);
      await wait(random.between(0, 500));
    },
  },
];

/** Leads all connections to a server whose database cannot store every event. */
async function misleadToWrongEncoding({ toPostgres }: Deployment, random: Random): Promise<void> {
  const wrong = await OwnPostgres.start();
  try {
    await wrong.asSuperuser('DROP DATABASE the_eye');
    await wrong.createDatabase('the_eye', 'template0', `ENCODING LATIN1 LOCALE 'C' LOCALE_PROVIDER libc`);
    toPostgres.redirect({ path: wrong.socket });
    toPostgres.cut();
    await wait(random.between(500, 3000));
    // A process that starts meanwhile says so and ends.
    const output = await TheEye.failToStart({
      ROLE: 'worker',
      DATABASE_URL: `postgresql://the_eye@127.0.0.1:${toPostgres.port}/the_eye`,
      REDIS_URL: 'redis://127.0.0.1:1',
    });
    if (!output.includes('The encoding of the database is LATIN1'))
      throw new Error(`A worker on a database of another encoding does not say so:\n${output}`);
  } finally {
    toPostgres.cut();
    await wrong.close();
  }
}

async function kill(eye: TheEye, random: Random): Promise<void> {
  await eye.end('SIGKILL');
  await wait(random.between(0, 1000));
}

/** Keeps restarting the server while its disk is full, like a supervisor. */
async function fillDisk(deployment: Deployment, server: 'postgres' | 'redis', random: Random): Promise<void> {
  const disk = deployment.diskOf(server);
  await disk.fill();
  let full = true;
  const cleared = wait(random.between(1000, 5000))
    .then(() => disk.clear())
    .then(() => (full = false));
  while (full) {
    await deployment[server].start().catch(() => undefined);
    await wait(100);
  }
  await cleared;
}

/** Sends part or all of a request, and disconnects before the response. */
async function hangUp(eye: TheEye, random: Random, load: Load, sender: number): Promise<void> {
  const whole = random.chance(0.2);
  // Part of a request uses the prefix of the load, which never sent this event: if stored, it would count as changed.
  const session = whole ? `hung-up-${sender}` : `${load.prefix}half-${sender}`;
  const line = `${JSON.stringify(anEvent({ session_id: session }))}\n`;
  const body = line.repeat(10);
  const { hostname, port, host } = new URL(eye.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(
    `POST /events/ HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/x-ndjson\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  socket.write(whole ? body : body.slice(0, Math.floor(random.between(0, body.length - 1))));
  await wait(random.between(0, 30));
  if (random.chance(0.5)) socket.resetAndDestroy();
  else socket.destroy();
}
