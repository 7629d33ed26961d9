import { existsSync, statSync } from 'node:fs';
import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { remove, TheEye } from '../../testing/the-eye.js';
import { RUN_FOLDER_VARIABLE, templateDataDir } from '../support/run-folder.js';
import { newClickHouseDatabase, workerClickHouse } from '../support/worker-clickhouse.js';
import { workerPostgres } from '../support/worker-postgres.js';

/*
 * What the specs of test/ need once a run, since they start the built program: a fresh build, and a data folder that is
 * initialised and migrated, which they copy instead of running initdb and the migrations each time.
 */

const PROJECT = join(import.meta.dirname, '../..');
const SOURCE = join(PROJECT, 'src');
const MAIN = join(PROJECT, 'dist/main.js');
const PACKAGES = join(PROJECT, 'dist/node_modules');

/** @throws Error that says what to do, where dist/ is missing or older than its source */
export async function prepareRun(): Promise<void> {
  await requireFreshBuild();
  // The processes of Jest inherit the variable.
  const run = await mkdtemp(join(tmpdir(), 'eye-run-'));
  process.env[RUN_FOLDER_VARIABLE] = run;
  try {
    const clickhouse = await newClickHouseDatabase();
    const eye = await TheEye.start({ DATA_DIR: templateDataDir(), CLICKHOUSE_URL: clickhouse.url });
    await eye.end();
    // The Jest workers start their own.
    await workerClickHouse.stopAll(run);
  } catch (error) {
    await endRun();
    throw error;
  }
}

/** Stops the servers that the specs have shared, and removes the folder of the run. */
export async function endRun(): Promise<void> {
  const folder = process.env[RUN_FOLDER_VARIABLE];
  if (folder === undefined) return;
  await Promise.all([workerPostgres.stopAll(folder), workerClickHouse.stopAll(folder)]);
  await remove(folder);
}

/** Specs of a stale build would test another program than the one in src/. */
async function requireFreshBuild(): Promise<void> {
  const built = existsSync(MAIN) ? statSync(MAIN).mtimeMs : undefined;
  const files = (await readdir(SOURCE, { recursive: true })).filter((name) => !/\.spec\.ts$/.test(name));
  const newer = files.find((name) => {
    const found = statSync(join(SOURCE, name));
    return found.isFile() && found.mtimeMs > (built ?? 0);
  });
  if (newer === undefined && existsSync(PACKAGES)) return;
  const reason =
    built === undefined || newer === undefined
      ? 'dist/ is missing, or has no node_modules'
      : `dist/ is older than ${relative(PROJECT, join(SOURCE, newer))}`;
  throw new Error(`${reason}. Run "npm run build" first; "npm test" does.`);
}
