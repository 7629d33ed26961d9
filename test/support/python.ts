import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { eventually } from '../../testing/the-eye.js';
import { ROOT } from './pages.js';

const PACKAGE = join(ROOT, 'packages/python');

/** The interpreter of the distribution comes second: it alone sees the distribution's Django. */
const INTERPRETERS = ['python3', '/usr/bin/python3'];

/** An interpreter that can import a module, or undefined if none can. */
export function pythonWith(module: string): string | undefined {
  return INTERPRETERS.find((python) => spawnSync(python, ['-c', `import ${module}`]).status === 0);
}

/** Runs a program of Python that can import the client and its examples. Returns what it prints. */
export async function runPython(
  args: readonly string[],
  env: Record<string, string> = {},
  python = 'python3',
): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(python, args, {
    cwd: PACKAGE,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      PYTHONPATH: `${PACKAGE}:${join(PACKAGE, 'examples')}`,
      PYTHONDONTWRITEBYTECODE: '1',
      ...env,
    },
  });
  return stdout + stderr;
}

/** A process that tracks numbered events with a queue on disk. */
export class PythonSender {
  /** The numbers of the events that the client has accepted. */
  readonly accepted: number[] = [];
  /** What the client has reported. */
  errors = '';

  private constructor(private readonly child: ChildProcess) {
    if (child.stdout)
      createInterface({ input: child.stdout }).on('line', (line) => this.accepted.push(Number(line)));
    child.stderr?.on('data', (chunk: Buffer) => (this.errors += chunk.toString()));
  }

  /** @param count events until it ends; 0 to send only what others have left in the folder */
  static start(url: string, folder: string, session: string, count: number): PythonSender {
    const args = [join(PACKAGE, 'tests/sender.py'), url, folder, session, String(count)];
    return new PythonSender(
      spawn('python3', args, {
        env: { PATH: process.env['PATH'], HOME: process.env['HOME'], PYTHONDONTWRITEBYTECODE: '1' },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
  }

  /** Resolves once so many events are accepted. */
  hasAccepted(count: number): Promise<void> {
    return eventually(() =>
      this.accepted.length >= count
        ? Promise.resolve()
        : Promise.reject(
            new Error(`Only ${this.accepted.length} of ${count} events were accepted. ${this.errors}`),
          ),
    );
  }

  /** Resolves with the exit code once the process has ended and all that it printed was read. */
  async ended(): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const [code] = (await once(this.child, 'close')) as [number | null];
    return code;
  }

  async kill(): Promise<void> {
    const ended = this.ended();
    this.child.kill('SIGKILL');
    await ended;
  }
}
