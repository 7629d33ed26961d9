import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { AttackOrder, AttackReport } from './load-process.js';

/** The load process, as the runner sees it. */
export class Attacker {
  private readonly ended: Promise<never>;

  private constructor(private readonly process: ChildProcess) {
    this.ended = once(process, 'exit').then(() => {
      throw new Error('The load process has ended.');
    });
    this.ended.catch(() => undefined);
  }

  static start(): Attacker {
    // The options of Jest are not for it.
    const env = { ...process.env, NODE_OPTIONS: '' };
    const path = join(import.meta.dirname, 'load-process.ts');
    return new Attacker(fork(path, { execArgv: ['--import', 'tsx'], env }));
  }

  /** Runs one attack to its end. */
  async run(order: AttackOrder): Promise<AttackReport> {
    const message = new Promise<{ report?: AttackReport; error?: string }>((resolve) =>
      this.process.once('message', resolve),
    );
    this.process.send(order);
    const { report, error } = await Promise.race([message, this.ended]);
    if (!report) throw new Error(error);
    return report;
  }

  async stop(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.ended.catch(() => undefined);
  }
}
