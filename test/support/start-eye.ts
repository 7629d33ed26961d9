import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Env, TheEye } from '../../testing/the-eye.js';
import { copyTemplate, runFolder } from './run-folder.js';
import { OwnRedis } from './servers.js';
import { createDatabase } from './worker-postgres.js';

/**
 * Starts The Eye on a new, migrated, empty database and a new Redis, unless `env` names others. This takes a third of the
 * CPU time of `TheEye.start()`, which starts the embedded servers.
 */
export async function startEye(env: Env = {}): Promise<TheEye> {
  // There is no shared PostgreSQL outside Jest.
  if (runFolder() === undefined) return TheEye.start(env);
  const redis = env['REDIS_URL'] === undefined ? await OwnRedis.start() : undefined;
  const onClose = async (): Promise<void> => redis?.close();
  try {
    const DATABASE_URL = env['DATABASE_URL'] ?? (await createDatabase());
    return await TheEye.start({ ...env, DATABASE_URL, ...(redis && { REDIS_URL: redis.url }) }, { onClose });
  } catch (error) {
    await onClose();
    throw error;
  }
}

/**
 * Starts The Eye with its embedded servers, on a data folder that is initialised already. A spec of the first start calls
 * `TheEye.start()`.
 */
export async function startEmbedded(): Promise<TheEye> {
  const dataDir = await mkdtemp(join(tmpdir(), 'eye-test-'));
  await copyTemplate(dataDir);
  return TheEye.start({ DATA_DIR: dataDir });
}
