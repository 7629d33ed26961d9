import { setTimeout as wait } from 'node:timers/promises';
import { type Account, brokenPromises } from '../support/ledger.js';
import { Load } from '../support/load.js';
import { Random } from '../../testing/random.js';
import type { TheEye } from '../../testing/the-eye.js';
import { AGREES, Copy } from '../support/replication.js';
import { Churn } from './churn.js';
import type { Deployment } from './deployment.js';
import type { Fault } from './faults.js';

/** The documented maximum response time: REDIS_TIMEOUT plus a margin. */
const MAX_RESPONSE_MS = 2000;

/** Milliseconds in which ClickHouse must have caught up. */
const COPY_TIMEOUT_MS = 120_000;

/** Number of 202 responses that prove that The Eye has recovered. */
const RECOVERY_RESPONSES = 10;

export interface Result extends Account {
  /** Requests with a 503 response. */
  refused: number;
  /** Requests whose connection was refused or closed before the response. */
  brokenOff: number;
  /** Slowest response in milliseconds. */
  longest: number;
  /** What `npm run replication -- verify` printed; undefined where nothing is copied. */
  verification?: string;
}

/** A load on a deployment into which faults are injected, and the checks at its end. */
export class Trial {
  private readonly random: Random;
  private readonly load: Load;
  /** Where events are copied, others are stored and removed all the time. */
  private readonly churn: Churn | undefined;
  /** Requests that broke off in rounds in which an API was killed. */
  private excused = 0;

  /** @param seed determines the choice of victims and the pauses */
  constructor(
    private readonly deployment: Deployment,
    seed: number,
  ) {
    this.random = new Random(seed);
    this.load = Load.on(deployment.apis, { pause: 20, again: 0.2, random: new Random(seed) });
    if (deployment.copyTarget) this.churn = new Churn(() => deployment.postgres.url, new Random(seed + 1));
  }

  /**
   * Injects a fault at a random moment, heals the deployment, and waits for recovery.
   * @throws Error if The Eye does not accept events again
   */
  async round(fault: Fault): Promise<void> {
    const { apis } = this.deployment;
    const processes = apis.map(({ process }) => process);
    const { brokenOff } = this.load;
    await this.load.waitForResponses(202, RECOVERY_RESPONSES);
    await wait(this.random.between(0, 1000));
    try {
      await fault.inject(this.deployment, this.random, this.load);
    } finally {
      await this.deployment.heal();
    }
    await this.load.waitForResponses(202, RECOVERY_RESPONSES);
    // A killed API has a new process.
    const killed = apis.some(({ process }, index) => process !== processes[index]);
    if (killed) this.excused += this.load.brokenOff - brokenOff;
  }

  /** @throws Error if the backlog does not drain */
  async end(): Promise<Result> {
    const account = await this.load.account();
    const { statuses, brokenOff, longest } = this.load;
    const result = { ...account, refused: statuses.get(503) ?? 0, brokenOff, longest };
    if (!this.churn) return result;
    await this.churn.stop();
    if (this.churn.removals === 0) throw new Error('Nothing was removed.');
    const copy = new Copy(this.deployment.apis[0] as TheEye);
    await copy.caughtUp(COPY_TIMEOUT_MS);
    return { ...result, verification: await copy.verify() };
  }

  async stop(): Promise<void> {
    await Promise.all([this.load.stop(), this.churn?.stop()]);
  }

  /** Descriptions of the violated guarantees; empty if there are none. */
  complaints(result: Result): string[] {
    const { brokenOff, longest, verification } = result;
    const unexcused = brokenOff - this.excused;
    return [
      ...brokenPromises(result),
      ...(longest > MAX_RESPONSE_MS ? [`a response took ${Math.round(longest)} ms`] : []),
      ...(unexcused > 0 ? [`${unexcused} requests broke off while no API was killed`] : []),
      ...(verification !== undefined && !AGREES.test(verification) ? [verification] : []),
      ...this.deployment.deaths,
      ...new Set(this.load.faults),
    ];
  }
}
