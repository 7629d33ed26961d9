import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { copyTemplate } from './run-folder.js';
import { OwnPostgres } from './servers.js';
import { WorkerServer } from './worker-server.js';

export const workerPostgres = new WorkerServer('postgres', async (folder) => {
  if (!existsSync(join(folder, 'postgres'))) await copyTemplate(folder);
  return OwnPostgres.at(folder);
});

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
  const postgres = await workerPostgres.get();
  return postgres.createDatabase(`eye_${randomBytes(6).toString('hex')}`, template);
}
