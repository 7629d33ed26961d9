import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runFolder } from './run-folder.js';
import type { OwnServer } from './servers.js';

/** A server that all specs of a Jest worker share. */
export class WorkerServer<Server extends OwnServer> {
  private running: Promise<Server> | undefined;

  /**
   * @param name of the folders of these servers in that of the run, before the number of the worker
   * @param at the server in a folder, started or not
   */
  constructor(
    private readonly name: string,
    private readonly at: (folder: string) => Promise<Server>,
  ) {}

  /** The first spec file starts the server. Jest loads this module again for each file, and the server keeps running. */
  get(): Promise<Server> {
    return (this.running ??= this.joinOrStart());
  }

  /** Stops those of all workers of a run. This process starts its own again if it needs one later. */
  async stopAll(run: string): Promise<void> {
    this.running = undefined;
    const workers = (await readdir(run)).filter((name) => name.startsWith(`${this.name}-`));
    await Promise.all(workers.map(async (name) => (await this.at(join(run, name))).stopLeftover()));
  }

  private async joinOrStart(): Promise<Server> {
    const run = runFolder();
    if (run === undefined) throw new Error('Only specs share servers: there is no Jest run.');
    const folder = join(run, `${this.name}-${process.env['JEST_WORKER_ID'] ?? 'setup'}`);
    await mkdir(folder, { recursive: true });
    const server = await this.at(folder);
    if (!(await server.accepts())) await server.start();
    server.unref();
    return server;
  }
}
