import { execFile, spawnSync } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** Milliseconds that a process gets for each signal. Writing a checkpoint to a slow disk takes a while. */
const PATIENCE = 60_000;

/**
 * Sends one signal after another until the process is gone.
 * @throws Error when it outlives the last signal
 */
export async function end(
  name: string,
  isRunning: () => boolean | Promise<boolean>,
  kill: (signal: NodeJS.Signals) => void,
  signals: readonly NodeJS.Signals[],
): Promise<void> {
  for (const signal of signals) {
    if (!(await isRunning())) return;
    try {
      kill(signal);
    } catch {
      // It has just ended, or is not ours to stop: the next look tells.
    }
    const deadline = Date.now() + PATIENCE;
    while (Date.now() < deadline) {
      if (!(await isRunning())) return;
      await sleep(25);
    }
  }
  throw new Error(`${name} cannot be stopped.`);
}

/**
 * Whether a living process works in this folder. Process ids are used again, after a restart of a container even
 * the same ones, so a number found in a file proves nothing; and a zombie, which has no folder, counts as gone.
 */
async function worksIn(pid: number, folder: string): Promise<boolean> {
  if (process.platform !== 'linux') {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => ({
      stdout: '',
    }));
    return stdout.includes(folder);
  }
  // In a container root may not look at another user's working directory; the arguments are open to all.
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  if (cwd !== undefined) return cwd === folder;
  const args = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return args.split('\0').includes(folder);
}

/** Stops what a killed keeper left behind, going by the pid in the first line of the file. */
export async function endLeftover(
  name: string,
  folder: string,
  pidFile: string,
  signals: readonly NodeJS.Signals[],
): Promise<void> {
  const pid = Number.parseInt(await readFile(pidFile, 'utf8').catch(() => ''), 10);
  if (Number.isNaN(pid) || pid <= 1) return;
  await end(
    name,
    () => worksIn(pid, folder),
    (signal) => void process.kill(pid, signal),
    signals,
  );
}

/** A program to run, with the options of `spawn` that put it under the right account. */
export interface Launch {
  readonly file: string;
  readonly args: readonly string[];
  readonly options: { readonly cwd: string; readonly uid?: number; readonly gid?: number };
}

/**
 * The same program, told by the kernel to stop when we are gone, even killed: a server must not outlive its keeper.
 * Linux only (`setpriv` of util-linux); elsewhere the next keeper stops what a killed one left.
 * @see https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
 */
export function tiedToParent({ file, args, options }: Launch, signal: NodeJS.Signals): Launch {
  if (!canTie()) return { file, args, options };
  const death = ['--pdeathsig', signal.replace('SIG', '')];
  // One that is launched through setpriv already takes it as one more privilege.
  return file === SETPRIV
    ? { file, args: [...death, ...args], options }
    : { file: SETPRIV, args: [...death, file, ...args], options };
}

export const SETPRIV = 'setpriv';

let tiable: boolean | undefined;
const canTie = (): boolean =>
  (tiable ??= spawnSync(SETPRIV, ['--pdeathsig', 'TERM', 'true'], { stdio: 'ignore' }).status === 0);
