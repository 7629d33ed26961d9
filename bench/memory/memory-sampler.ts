import { setTimeout as wait } from 'node:timers/promises';
import { familyOf, serversOf } from '../../testing/processes.js';
import type { TheEye } from '../../testing/the-eye.js';
import { residentMemoryOf, proportionalMemoryOf } from '../support/processes.js';
import { logProgress } from '../support/progress.js';

const SAMPLE_INTERVAL_MS = 500;

/** Memory in bytes. */
export interface Sample {
  seconds: number;
  /** API and worker in one process, like `npm start`. */
  eye: number;
  redis: number;
  postgres: number;
}

export const PHASES = {
  import: 'import',
  hold: 'import, PostgreSQL frozen',
  drain: 'queue drained',
} as const;

export interface Phase {
  name: keyof typeof PHASES;
  /** Seconds since the first sample. */
  from: number;
  to: number;
}

/** Samples the memory of one Eye, its Redis and its PostgreSQL at a fixed interval. */
export class MemorySampler {
  readonly samples: Sample[] = [];
  readonly phases: Phase[] = [];
  private readonly startedAt = performance.now();
  private readonly stopping = new AbortController();
  private readonly sampling: Promise<void>;

  private constructor(
    private readonly eye: number,
    private readonly servers: { postgres: number; redis: number },
  ) {
    this.sampling = this.sampleUntilStopped();
  }

  static async start({ pid, dataDir }: TheEye): Promise<MemorySampler> {
    return new MemorySampler(pid, await serversOf(dataDir));
  }

  /** Runs the work and records when it started and ended. */
  async runPhase<Result>(name: Phase['name'], work: () => Promise<Result>): Promise<Result> {
    logProgress(`memory: ${PHASES[name]}`);
    const from = this.seconds;
    const result = await work();
    this.phases.push({ name, from, to: this.seconds });
    return result;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.sampling;
  }

  private get seconds(): number {
    return (performance.now() - this.startedAt) / 1000;
  }

  private async sampleUntilStopped(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      this.samples.push(await this.sample());
      await wait(SAMPLE_INTERVAL_MS, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  private async sample(): Promise<Sample> {
    const { postgres, redis } = this.servers;
    return {
      seconds: this.seconds,
      // Without its children: the supervisor, and the servers, which are sampled separately.
      eye: await residentMemoryOf(this.eye),
      redis: await residentMemoryOf(redis),
      postgres: await proportionalMemoryOf(await familyOf(postgres)),
    };
  }
}
