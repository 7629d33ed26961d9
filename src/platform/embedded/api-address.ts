import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const fileIn = (dataDir: string): string => join(dataDir, 'address');

/** Notes in the data folder where the API listens, for the commands of the same folder. */
export async function writeApiAddress(dataDir: string, address: string): Promise<void> {
  await writeFile(fileIn(dataDir), `${address}\n`);
}

/** The address of the API that uses the data folder; undefined if none does. */
export function readApiAddress(dataDir: string): string | undefined {
  try {
    return readFileSync(fileIn(dataDir), 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Removes the note, unless another process has written its own. */
export async function removeApiAddress(dataDir: string, address: string): Promise<void> {
  if (readApiAddress(dataDir) === address) await rm(fileIn(dataDir), { force: true });
}
