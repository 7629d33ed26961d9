import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { ManagedServer } from './managed-server.js';
import { isRunning, spawned } from './processes.js';
import type { ServerDefinition } from './server-definition.js';

/** Runs a shell script as the server. It is ready while the script runs. */
class FakeServer implements ServerDefinition {
  readonly name = 'Fake';
  readonly folder = '/nonexistent';
  readonly pidFile = '/nonexistent/pid';
  readonly stopSignals = ['SIGTERM', 'SIGKILL'] as const;
  readonly children: ChildProcess[] = [];

  constructor(private readonly script: string) {}

  prepare(): Promise<void> {
    return Promise.resolve();
  }

  spawn(): Promise<ChildProcess> {
    const child = spawn('sh', ['-c', this.script], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.children.push(child);
    return spawned(child);
  }

  probe(): Promise<void> {
    const child = this.children.at(-1);
    return child && isRunning(child) ? Promise.resolve() : Promise.reject(new Error('not running'));
  }
}

const RUN = 'exec sleep 100';

/** A server that never becomes ready. */
class UnreadyServer extends FakeServer {
  override probe(): Promise<void> {
    return Promise.reject(new Error('no reply'));
  }
}

describe('ManagedServer', () => {
  const lines: string[] = [];
  let server: FakeServer;
  let managed: ManagedServer;

  const manage = (fake: FakeServer): void => {
    server = fake;
    managed = new ManagedServer(
      fake,
      (line) => lines.push(line),
      () => undefined,
    );
  };
  beforeEach(() => void (lines.length = 0));
  afterEach(() => managed.stop());

  it('starts the server once for concurrent clients, and stops it', async () => {
    manage(new FakeServer(RUN));
    await Promise.all([managed.start(), managed.start()]);
    expect(server.children).toHaveLength(1);
    await managed.stop();
    expect(server.children.filter(isRunning)).toEqual([]);
  });

  it('restarts the server after a crash, and a client waits for the restart', async () => {
    manage(new FakeServer(RUN));
    await managed.start();
    const [first] = server.children;
    if (!first) throw new Error('The server was not spawned.');
    const ended = once(first, 'exit');
    first.kill('SIGKILL');
    await ended;
    await managed.start();
    expect(server.children.filter(isRunning)).toHaveLength(1);
    expect(lines).toEqual(['Fake ended unexpectedly (SIGKILL); restarting it', 'Fake is back']);
  });

  it('gives up the first start after four attempts, with the last lines of the server', async () => {
    manage(new UnreadyServer('echo broken configuration >&2; exit 3'));
    await expect(managed.start()).rejects.toThrow(
      'Fake ended before it was ready (exit code 3):\n  broken configuration',
    );
    expect(server.children).toHaveLength(4);
  });

  it('stops a server that is still starting, without another attempt', async () => {
    manage(new UnreadyServer(RUN));
    const started = managed.start();
    const outcome = expect(started).rejects.toThrow();
    while (server.children.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await managed.stop();
    await outcome;
    expect(server.children).toHaveLength(1);
    expect(server.children.filter(isRunning)).toEqual([]);
  });
});
