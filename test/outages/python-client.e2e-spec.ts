import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TheEye } from '../../testing/the-eye.js';
import { Link } from '../support/link.js';
import { PythonSender, pythonWith } from '../support/python.js';
import { startEye } from '../support/start-eye.js';

const python = pythonWith('ssl');
if (python === undefined) console.warn('Skipped: the client for Python in outages: there is no python3.');

(python === undefined ? describe.skip : describe)('The client for Python with a queue on disk', () => {
  let eye: TheEye;
  let link: Link;
  let folder: string;
  beforeAll(async () => {
    eye = await startEye();
    link = await Link.open(addressOf(eye));
    folder = await mkdtemp(join(tmpdir(), 'eye-python-'));
  });
  afterAll(async () => {
    await link.close();
    await eye.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('has every accepted event of three processes that share a folder stored once, whatever fails', async () => {
    const url = `http://127.0.0.1:${link.port}`;
    const senders: PythonSender[] = [];
    const start = (): PythonSender => {
      const sender = PythonSender.start(url, folder, `sender-${senders.length}`, 1_000_000);
      senders.push(sender);
      return sender;
    };
    let running = [start(), start(), start()];
    const next = async (): Promise<unknown> =>
      Promise.all(running.map((sender) => sender.hasAccepted(sender.accepted.length + 200)));
    const faults: (() => Promise<void> | void)[] = [
      () => link.cut(),
      // Offline, and then online again.
      async () => {
        link.sever();
        await next();
        link.fix();
      },
      // Requests on open connections are lost without a word.
      () => link.forget(),
      async () => {
        await eye.end('SIGKILL');
        await eye.start();
        link.redirect(addressOf(eye));
      },
    ];
    for (const fault of [...faults, ...faults]) {
      await next();
      await fault();
      await next();
      const [oldest, ...others] = running;
      await oldest?.kill();
      running = [...others, start()];
    }
    await Promise.all(running.map((sender) => sender.kill()));
    const last = PythonSender.start(url, folder, 'last', 0);
    expect(await last.ended()).toBe(0);
    expect(await readdir(folder)).toEqual([]);
    await eye.drained();
    for (const [index, { accepted }] of senders.entries()) {
      const rows = await eye.sql<{ n: number }>(
        "SELECT (data->>'n')::int AS n FROM events WHERE session_id = $1 ORDER BY n",
        [`sender-${index}`],
      );
      const stored = rows.map(({ n }) => n);
      // A sender may have been killed after it wrote an event and before it printed its number.
      expect(stored).toEqual([...accepted, ...stored.slice(accepted.length)]);
      expect(stored.length - accepted.length).toBeLessThanOrEqual(1);
    }
  });
});

function addressOf({ url }: TheEye): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}
