import { type ChildProcess, execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ServerDefinition } from './server-definition.js';

/** Per signal. Writing a checkpoint to a slow disk takes a while. */
const STOP_TIMEOUT_MS = 60_000;
const POLL_INTERVAL_MS = 25;

export function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/**
 * Resolves when the child runs its program.
 * @throws Error when the program cannot be executed, such as ENOENT
 */
export async function spawned(child: ChildProcess): Promise<ChildProcess> {
  await once(child, 'spawn');
  return child;
}

interface StopOptions {
  readonly name: string;
  readonly stopSignals: readonly NodeJS.Signals[];
  readonly isRunning: () => boolean | Promise<boolean>;
  readonly kill: (signal: NodeJS.Signals) => void;
}

/**
 * Sends one signal after another until the process has ended.
 * @throws Error when it survives the last signal
 */
export async function stopProcess({ name, stopSignals, isRunning, kill }: StopOptions): Promise<void> {
  for (const signal of stopSignals) {
    if (!(await isRunning())) return;
    try {
      kill(signal);
    } catch {
      // It has just ended, or belongs to another user. The next check shows which.
    }
    const deadline = Date.now() + STOP_TIMEOUT_MS;
    while (Date.now() < deadline) {
      if (!(await isRunning())) return;
      await sleep(POLL_INTERVAL_MS);
    }
  }
  throw new Error(`${name} cannot be stopped.`);
}

/** Stops the server that a killed supervisor left behind, if there is one. Its pid is the first line of the pid file. */
export async function stopLeftover({ name, folder, pidFile, stopSignals }: ServerDefinition): Promise<void> {
  const pid = Number.parseInt(await readFile(pidFile, 'utf8').catch(() => ''), 10);
  if (Number.isNaN(pid) || pid <= 1) return;
  await stopProcess({
    name,
    stopSignals,
    isRunning: () => worksIn(pid, folder),
    kill: (signal) => void process.kill(pid, signal),
  });
}

/**
 * Whether the process is alive and works in the folder. A pid file alone proves nothing: pids are reused, and after the
 * restart of a container often by the same programs. A zombie has no working directory and counts as ended.
 */
async function worksIn(pid: number, folder: string): Promise<boolean> {
  if (process.platform !== 'linux') {
    // macOS has no /proc. Redis replaces its command line, so the working directory is the only evidence.
    const args = ['-a', '-p', String(pid), '-d', 'cwd', '-F', 'n'];
    const { stdout } = await promisify(execFile)('lsof', args).catch(() => ({ stdout: '' }));
    return stdout.split('\n').includes(`n${folder}`);
  }
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  if (cwd !== undefined) return cwd === folder;
  // In a container, root may be denied the working directory of another user's process, but not its arguments.
  const args = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return args.split('\0').includes(folder);
}

/** A program with its arguments, and the options of `spawn` that set its user. */
export interface ProgramCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly options: { readonly cwd: string; readonly uid?: number; readonly gid?: number };
}

/** Of util-linux: runs a program with other privileges or process attributes. */
export const SETPRIV = 'setpriv';

/**
 * The same command, with the signal that the kernel sends to the server when the supervisor dies, even by SIGKILL. Where
 * `setpriv` is missing (macOS, some containers), the next supervisor stops the server instead.
 * @see https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
 */
export function withParentDeathSignal(
  { file, args, options }: ProgramCommand,
  signal: NodeJS.Signals,
): ProgramCommand {
  if (!supportsParentDeathSignal()) return { file, args, options };
  const flags = ['--pdeathsig', signal.replace('SIG', '')];
  // setpriv takes this as one more privilege if it starts the server already.
  return file === SETPRIV
    ? { file, args: [...flags, ...args], options }
    : { file: SETPRIV, args: [...flags, file, ...args], options };
}

const supportsParentDeathSignal = (): boolean =>
  spawnSync(SETPRIV, ['--pdeathsig', 'TERM', 'true'], { stdio: 'ignore' }).status === 0;
