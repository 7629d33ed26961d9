import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { remove, TheEye } from '../test/support/the-eye.js';

/** Measures a fresh one, as `npm start` starts it, on a port and in a folder of its own. */
export async function onTheEye<Result>(
  measure: (eye: TheEye) => Promise<Result>,
  env: Record<string, string> = {},
): Promise<Result> {
  const dataDir = await mkdtemp(join(tmpdir(), 'eye-bench-'));
  const eye = await TheEye.start({ ...env, DATA_DIR: dataDir });
  try {
    return await measure(eye);
  } finally {
    await eye.end();
    await remove(dataDir);
  }
}
