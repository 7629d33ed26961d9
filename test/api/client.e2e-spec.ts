import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { eventually, type TheEye } from '../../testing/the-eye.js';
import { startEyeWithKey } from '../support/start-eye.js';
import { UnreliableProxy } from '../support/unreliable-proxy.js';

const CLIENT = pathToFileURL(join(import.meta.dirname, '../../packages/client/dist/node.js')).href;

/** Tracks event after event, and prints the number of each once it is accepted. SIGTERM ends it in order. */
const SENDER = `
  import { createEye } from '${CLIENT}';
  const { url, key, folder, from } = JSON.parse(process.argv[1]);
  const eye = createEye({ url, key, folder, session: 'the sender', interval: 20, maxDelay: 200 });
  let runs = true;
  process.on('SIGTERM', () => (runs = false));
  for (let n = from; runs; n++) {
    if (await eye.track('counted', { n })) console.log(n);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  process.exitCode = (await eye.close(60_000)) ? 0 : 1;
`;

/** A process that tracks events, and the numbers of those that its client has accepted. */
class SenderProcess {
  readonly accepted: number[] = [];
  private readonly process: ChildProcess;

  constructor(options: { url: string; key: string; folder: string; from: number }) {
    const args = ['--input-type=module', '-e', SENDER, JSON.stringify(options)];
    this.process = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const { stdout } = this.process;
    if (stdout) createInterface(stdout).on('line', (line) => this.accepted.push(Number(line)));
  }

  async hasAccepted(count: number): Promise<void> {
    await eventually(async () => {
      await Promise.resolve();
      if (this.accepted.length < count) throw new Error(`${this.accepted.length} events are accepted.`);
    });
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    const closed = once(this.process, 'close') as Promise<[number | null]>;
    this.process.kill(signal);
    return (await closed)[0];
  }
}

describe('The client in Node, with a folder', () => {
  let eye: TheEye;
  let proxy: UnreliableProxy;
  let folder: string;
  let key: string;
  const senders: SenderProcess[] = [];

  beforeAll(async () => {
    ({ eye, key } = await startEyeWithKey());
    proxy = await UnreliableProxy.start(() => eye.url);
    folder = await mkdtemp(join(tmpdir(), 'eye-client-'));
  });
  afterAll(async () => {
    proxy?.close();
    await eye?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const send = (from: number): SenderProcess => {
    const sender = new SenderProcess({ url: proxy.url, key, folder, from });
    senders.push(sender);
    return sender;
  };

  it('stores each accepted event once: The Eye and the sender are killed, and responses are lost', async () => {
    const first = send(0);
    await first.hasAccepted(50);
    proxy.loseResponses(2);
    await first.hasAccepted(100);
    await eye.end('SIGKILL');
    await first.hasAccepted(first.accepted.length + 100);
    await first.end('SIGKILL');
    expect(await readdir(folder)).not.toEqual([]);
    // Another one takes over what the killed one has left.
    const second = send(1_000_000);
    await second.hasAccepted(50);
    await eye.start();
    expect(await second.end('SIGTERM')).toBe(0);
    expect(await readdir(folder)).toEqual([]);
    await eye.drained();
    const rows = await eye.sql<{ n: number; count: number }>(
      `SELECT (data ->> 'n')::int AS n, count(*)::int AS count FROM events WHERE application = 'shop' GROUP BY 1 ORDER BY 1`,
    );
    expect(rows.filter(({ count }) => count !== 1)).toEqual([]);
    const stored = new Set(rows.map(({ n }) => n));
    const accepted = senders.flatMap((sender) => sender.accepted);
    expect(accepted.length).toBeGreaterThan(250);
    expect(accepted.filter((n) => !stored.has(n))).toEqual([]);
    // The last line of a killed process may be lost, not its event.
    expect(stored.size - accepted.length).toBeLessThanOrEqual(1);
  });
});
