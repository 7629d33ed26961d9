import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { copyTemplate, runFolder } from './run-folder.js';
import { OwnPostgres } from './servers.js';

const PREFIX = 'worker-';

/**
 * Creates a migrated database in the PostgreSQL that all specs of this Jest worker share. A spec that stops its PostgreSQL
 * starts an OwnPostgres instead.
 * @returns the URL of the database
 */
export function createDatabase(): Promise<string> {
  return create('the_eye');
}

/** Creates a database without tables, for the specs of the migrations. */
export function createEmptyDatabase(): Promise<string> {
  return create('template1');
}

async function create(template: string): Promise<string> {
  const postgres = await (running ??= joinOrStart());
  return postgres.createDatabase(`eye_${randomBytes(6).toString('hex')}`, template);
}

/** Stops the PostgreSQL of each Jest worker of a run. */
export async function stopWorkerPostgres(folder: string): Promise<void> {
  const workers = (await readdir(folder)).filter((name) => name.startsWith(PREFIX));
  await Promise.all(workers.map(async (name) => (await OwnPostgres.at(join(folder, name))).stopLeftover()));
}

let running: Promise<OwnPostgres> | undefined;

/** The first spec file starts the server. Jest loads this module again for each file, and the server keeps running. */
async function joinOrStart(): Promise<OwnPostgres> {
  const run = runFolder();
  if (run === undefined) throw new Error('Only specs share a PostgreSQL: there is no Jest run.');
  const folder = join(run, `${PREFIX}${process.env['JEST_WORKER_ID']}`);
  await mkdir(folder, { recursive: true });
  if (!existsSync(join(folder, 'postgres'))) await copyTemplate(folder);
  const postgres = await OwnPostgres.at(folder);
  if (!(await postgres.accepts())) await postgres.start();
  postgres.unref();
  return postgres;
}
