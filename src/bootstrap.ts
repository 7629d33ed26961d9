import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApp } from './app.js';
import { EventTypesRefresher } from './event-types/event-types.refresher.js';
import { ReadinessService } from './operations/health/readiness.service.js';
import { environment } from './platform/config/environment.js';
import { servesApi } from './platform/config/role.js';
import { Database } from './platform/database/database.js';
import { UnusableDatabaseError } from './platform/database/database-errors.js';
import { removeApiAddress, writeApiAddress } from './platform/embedded/api-address.js';
import type { EmbeddedServers } from './platform/embedded/embedded-servers.js';
import { PUBLIC_ADDRESS } from './platform/http/links.js';
import { RedisHealth } from './platform/redis/redis-health.js';
import { nestLogger } from './platform/telemetry/log.js';
import { startTracing, stopTracing } from './platform/telemetry/tracing.js';
import { describeStart } from './startup-message.js';

/** Milliseconds after which an orderly stop is cut short. Another process then takes over the unfinished jobs. */
const STOP_TIMEOUT_MS = 30_000;

/** Milliseconds that the start waits for PostgreSQL and Redis before it listens without them. */
const STARTUP_WAIT_MS = 5000;

const PARENT_CHECK_INTERVAL_MS = 500;

Logger.overrideLogger(nestLogger);

export function logStartup(line: string): void {
  Logger.log(line, 'Start');
}

/**
 * Starts the application on embedded servers or on those of the environment, and stops it together with the embedded
 * servers when the process receives a signal. It first serves for DRAIN_SECONDS more, so that a proxy that asks for the
 * readiness sends new requests elsewhere before connections are refused. A second signal exits at once.
 */
export async function serve(embedded: EmbeddedServers): Promise<void> {
  const { ROLE, HOST, PORT, DATABASE_URL, REDIS_URL, CLICKHOUSE_URL } = environment;
  let app: NestFastifyApplication | undefined;
  let stopping = false;
  let address: string | undefined;
  const usesEmbedded =
    DATABASE_URL === undefined || REDIS_URL === undefined || embedded.clickhouseUrl !== undefined;
  const dataDir = usesEmbedded ? resolve(environment.DATA_DIR) : undefined;

  const drain = async (): Promise<void> => {
    if (!app || address === undefined || environment.DRAIN_SECONDS === 0 || !servesApi(ROLE)) return;
    Logger.log(`Stopping in ${environment.DRAIN_SECONDS} s; requests are served until then`, 'Stop');
    app.get(ReadinessService).startDraining();
    app.getHttpAdapter().getInstance().endKeepAlive();
    await sleep(environment.DRAIN_SECONDS * 1000);
  };

  const stop = async (code: number): Promise<void> => {
    if (stopping) process.exit(code || 1);
    stopping = true;
    let exitCode = code;
    try {
      if (code === 0) await drain();
      setTimeout(() => process.exit(code || 1), STOP_TIMEOUT_MS).unref();
      if (dataDir !== undefined && address !== undefined) await removeApiAddress(dataDir, address);
      app?.getHttpAdapter().getInstance().startDraining();
      await app?.close();
      await stopTracing();
    } catch (error) {
      exitCode ||= 1;
      Logger.error(error instanceof Error ? error.message : error, 'Stop');
    }
    await embedded.close();
    process.exit(exitCode);
  };
  const fail = (error: unknown): void => {
    if (stopping) return;
    Logger.error(error instanceof Error ? error.message : error, 'Start');
    void stop(1);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(0));
  stopWithNpm(() => void stop(0));

  try {
    const databaseUrl = DATABASE_URL ?? embedded.databaseUrl ?? '';
    const redisUrl = REDIS_URL ?? embedded.redisUrl ?? '';
    const clickhouseUrl = CLICKHOUSE_URL ?? embedded.clickhouseUrl;
    await startTracing();
    app = await createApp({ role: ROLE, databaseUrl, redisUrl, clickhouseUrl });
    const database = app.get(Database);
    database.ready.catch((error: unknown) => {
      if (stopping) return;
      fail(
        error instanceof UnusableDatabaseError
          ? error
          : new Error(`PostgreSQL refuses the connection: ${(error as Error).message}`),
      );
    });
    await app.init();
    // Usually everything is ready within moments. If not, the API listens all the same and responds 503 meanwhile.
    const ready = [app.get(RedisHealth).ready(), database.ready];
    if (servesApi(ROLE)) ready.push(app.get(EventTypesRefresher).ready);
    await Promise.race([Promise.all(ready), sleep(STARTUP_WAIT_MS)]);
    await app.listen(PORT, HOST);
    address = await app.getUrl();
    if (dataDir !== undefined && servesApi(ROLE)) await writeApiAddress(dataDir, address);
    console.log(
      describeStart({
        role: ROLE,
        address,
        publicAddress: PUBLIC_ADDRESS,
        databaseUrl,
        redisUrl,
        clickhouseUrl,
        dataDir,
      }),
    );
  } catch (error) {
    const isPortTaken = (error as { code?: string }).code === 'EADDRINUSE';
    fail(
      isPortTaken
        ? new Error(`Port ${PORT} is taken; choose another, e.g. PORT=${PORT + 10} npm start`)
        : error,
    );
  }
}

/**
 * Stops when npm, as the parent process, has ended: a killed npm does not stop its child. The scripts in package.json use
 * `exec`, so that no shell stands between the two.
 */
function stopWithNpm(stop: () => void): void {
  if (!environment.startedByNpm) return;
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && stop(), PARENT_CHECK_INTERVAL_MS).unref();
}
