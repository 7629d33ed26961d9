import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Admin } from '../../testing/keys.js';
import { type Env, TheEye } from '../../testing/the-eye.js';
import { type ClickHouseDatabase, newClickHouseDatabase } from './worker-clickhouse.js';
import { Copy } from './replication.js';
import { copyTemplate, runFolder } from './run-folder.js';
import { OwnRedis } from './servers.js';
import { createDatabase } from './worker-postgres.js';

/** Accepts timestamps from the first valid one on. */
export const ANY_AGE: Env = { PAST_LIMIT: '3652424' };

/**
 * Starts The Eye on a new, migrated, empty database and a new Redis, unless `env` names others. This takes a third of the CPU
 * time of `TheEye.start()`, which starts the embedded servers. It has no ClickHouse, so nothing is copied.
 */
export async function startEye(env: Env = {}, onClosed?: () => Promise<void>): Promise<TheEye> {
  // There is no shared PostgreSQL outside Jest.
  if (runFolder() === undefined) return TheEye.start(env);
  const redis = env['REDIS_URL'] === undefined ? await OwnRedis.start() : undefined;
  const onClose = async (): Promise<void> => {
    await Promise.all([redis?.close(), onClosed?.()]);
  };
  try {
    const DATABASE_URL = env['DATABASE_URL'] ?? (await createDatabase());
    return await TheEye.start({ ...env, DATABASE_URL, ...(redis && { REDIS_URL: redis.url }) }, { onClose });
  } catch (error) {
    await onClose();
    throw error;
  }
}

export interface EyeWithKey {
  readonly eye: TheEye;
  readonly admin: Admin;
  /** A key with which the application `shop` sends events. */
  readonly key: string;
}

/**
 * Starts The Eye with AUTH=required.
 * @param options which pages may send with the key: none unless `allowed_origins` names theirs
 */
export async function startEyeWithKey({
  env = {},
  allowed_origins,
}: { env?: Env; allowed_origins?: string[] } = {}): Promise<EyeWithKey> {
  const eye = await startEye({ AUTH: 'required', ...env });
  try {
    const admin = await Admin.of(eye);
    const { key } = await admin.create('shop', { scope: 'ingest', allowed_origins });
    return { eye, admin, key };
  } catch (error) {
    await eye.close();
    throw error;
  }
}

/**
 * Like `startEye()`, with an empty database in the ClickHouse of the Jest worker, unless `env` names one. Once it is started, questions
 * are answered, unless it has no worker.
 */
export async function startEyeWithClickHouse(env: Env = {}): Promise<TheEye> {
  const clickhouse = await clickhouseFor(env);
  const CLICKHOUSE_URL = clickhouse?.url ?? env['CLICKHOUSE_URL'];
  const eye = await startEye({ ...env, CLICKHOUSE_URL }, () => clickhouse?.drop() ?? Promise.resolve());
  if (clickhouse && env['ROLE'] !== 'api') await new Copy(eye).caughtUp();
  return eye;
}

/**
 * Starts The Eye with its embedded PostgreSQL and Redis, on a data folder that is initialised already, and with a database in
 * the ClickHouse of the Jest worker. A spec of the first start calls `TheEye.start()`.
 */
export async function startEmbedded(env: Env = {}): Promise<TheEye> {
  const dataDir = await mkdtemp(join(tmpdir(), 'eye-test-'));
  await copyTemplate(dataDir);
  const clickhouse = await clickhouseFor(env);
  const onClose = async (): Promise<void> => clickhouse?.drop();
  return TheEye.start(
    { ...env, DATA_DIR: dataDir, ...(clickhouse && { CLICKHOUSE_URL: clickhouse.url }) },
    { onClose },
  );
}

/** A database in the ClickHouse of this Jest worker, unless `env` names one. */
async function clickhouseFor(env: Env): Promise<ClickHouseDatabase | undefined> {
  const isGiven = env['CLICKHOUSE_URL'] !== undefined || runFolder() === undefined;
  return isGiven ? undefined : newClickHouseDatabase();
}
