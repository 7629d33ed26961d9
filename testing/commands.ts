import { execFile } from 'node:child_process';
import { join } from 'node:path';

const DIST = join(import.meta.dirname, '../dist');

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs `npm run <feature> -- …args`, without npm. */
export function runCommand(env: Record<string, string>, feature: string, ...args: string[]): Promise<Ran> {
  return runNode(env, join(DIST, 'commands', `${feature}.js`), ...args);
}

/** Runs `node …args` with no variables but these. */
export function runNode(env: Record<string, string>, ...args: string[]): Promise<Ran> {
  const variables = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env: variables }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr }),
    );
  });
}
