import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Environment variable with the folder of a Jest run, created by global-setup. Unset in `npm run test:faults` and the like. */
export const RUN_FOLDER_VARIABLE = 'THE_EYE_TEST_RUN';

/** The folder of this Jest run, or undefined outside Jest. */
export const runFolder = (): string | undefined => process.env[RUN_FOLDER_VARIABLE];

/** An initialised and migrated data folder that no server uses, as a template to copy; undefined outside Jest. */
export function templateDataDir(): string | undefined {
  const folder = runFolder();
  return folder === undefined ? undefined : join(folder, 'template');
}

/** Copies the PostgreSQL of the template into a data folder without one. Does nothing outside Jest. */
export async function copyTemplate(dataDir: string): Promise<void> {
  const template = templateDataDir();
  // Copying a thousand files with Node takes several times as much CPU.
  if (template !== undefined)
    await promisify(execFile)('cp', ['-Rp', join(template, 'postgres'), join(dataDir, 'postgres')]);
}
