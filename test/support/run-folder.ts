import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Names the folder of a Jest run, which global-setup creates. Programs such as `npm run test:faults` have none. */
export const RUN_FOLDER_VARIABLE = 'THE_EYE_TEST_RUN';

/** The folder of this Jest run, or undefined outside Jest. */
export const runFolder = (): string | undefined => process.env[RUN_FOLDER_VARIABLE];

/** A data folder that is initialised and migrated, and that nobody uses; undefined outside Jest. */
export function templateDataDir(): string | undefined {
  const folder = runFolder();
  return folder === undefined ? undefined : join(folder, 'template');
}

/** Copies the initialised PostgreSQL into a data folder that has none, where there is a template. */
export async function copyTemplate(dataDir: string): Promise<void> {
  const template = templateDataDir();
  // A Node copy of a thousand files takes several times as much CPU.
  if (template !== undefined)
    await promisify(execFile)('cp', ['-Rp', join(template, 'postgres'), join(dataDir, 'postgres')]);
}
