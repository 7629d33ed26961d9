import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createApp } from './app.js';
import { environment } from './platform/config/environment.js';
import { servesApi } from './platform/config/role.js';
import { Database } from './platform/database/database.js';
import type { EmbeddedServers } from './platform/embedded/embedded-servers.js';
import { EventTypesRefresher } from './event-types/event-types.refresher.js';
import { trackUnusedConnections } from './platform/http/unused-connections.js';
import { RedisHealth } from './platform/redis/redis-health.js';
import { describeStart } from './startup-message.js';
import { nestLogger } from './platform/telemetry/log.js';
import { startTracing, stopTracing } from './platform/telemetry/tracing.js';

/** Milliseconds for an orderly stop; then the process goes, and what it had under way is taken over by the next. */
const STOP_DEADLINE = 30_000;

/** Milliseconds of these in which a request may still come on a connection that was just opened. */
const GRACE = 1000;

/** Milliseconds that the opening waits for PostgreSQL and Redis. */
const PATIENCE = 5000;

Logger.overrideLogger(nestLogger);

/** To the log, as a part of the start. */
export function say(line: string): void {
  Logger.log(line, 'Start');
}

/** Opens The Eye on its servers or those of the environment, and closes both when the process is told to stop. */
export async function serve(embedded: EmbeddedServers): Promise<void> {
  const { ROLE, HOST, PORT, DATABASE_URL, REDIS_URL } = environment;
  let app: NestFastifyApplication | undefined;
  let silent: ReturnType<typeof trackUnusedConnections> | undefined;
  let stopping = false;

  const stop = async (code: number): Promise<void> => {
    if (stopping) process.exit(code || 1);
    stopping = true;
    setTimeout(() => process.exit(code || 1), STOP_DEADLINE).unref();
    // Closing waits for connections; one that had a request under way would be kept for the next one.
    const server = app?.getHttpServer();
    setInterval(() => server?.closeIdleConnections(), 100).unref();
    setTimeout(() => silent?.close(), GRACE).unref();
    await app?.close();
    await stopTracing();
    await embedded.close();
    process.exit(code);
  };
  const fail = (error: unknown): void => {
    Logger.error(error instanceof Error ? error.message : error, 'Start');
    void stop(1);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(0));
  stopWithParent(() => void stop(0));

  try {
    const databaseUrl = DATABASE_URL ?? embedded.databaseUrl ?? '';
    const redisUrl = REDIS_URL ?? embedded.redisUrl ?? '';
    await startTracing();
    app = await createApp({ role: ROLE, databaseUrl, redisUrl });
    silent = trackUnusedConnections(app.getHttpServer());
    const database = app.get(Database);
    database.ready.catch((error: unknown) => {
      if (!stopping) fail(new Error(`PostgreSQL refuses the connection: ${(error as Error).message}`));
    });
    await app.init();
    // Open with everything in place where that is a matter of moments; otherwise open all the same, and say 503.
    const ready = [app.get(RedisHealth).ready(), database.ready];
    if (servesApi(ROLE)) ready.push(app.get(EventTypesRefresher).ready);
    await Promise.race([Promise.all(ready), wait(PATIENCE)]);
    await app.listen(PORT, HOST);
    const ownServers = DATABASE_URL === undefined || REDIS_URL === undefined;
    console.log(
      describeStart({
        role: ROLE,
        address: await app.getUrl(),
        databaseUrl,
        redisUrl,
        dataDir: ownServers ? resolve(environment.DATA_DIR) : undefined,
      }),
    );
  } catch (error) {
    const taken = (error as { code?: string }).code === 'EADDRINUSE';
    fail(
      taken ? new Error(`Port ${PORT} is taken; choose another, e.g. PORT=${PORT + 10} npm start`) : error,
    );
  }
}

/**
 * npm that is killed outright leaves its child behind; started by npm, The Eye goes with it. The scripts in package.json
 * say `exec`, so that no shell stands between the two.
 */
function stopWithParent(stop: () => void): void {
  if (!environment.startedByNpm) return;
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && stop(), 500).unref();
}
