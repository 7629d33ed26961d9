import { setTimeout as wait } from 'node:timers/promises';
import { type Account, brokenPromises } from '../support/ledger.js';
import { Load } from '../support/load.js';
import { Random } from '../../testing/random.js';
import type { Deployment } from './deployment.js';
import type { Fault } from './faults.js';

/** Milliseconds within which every sender is promised an answer: REDIS_TIMEOUT, and what it takes to say it. */
const MAX_RESPONSE_MS = 2000;

/** Answers 202 that show that The Eye works again. */
const RECOVERY_RESPONSES = 10;

export interface Result extends Account {
  /** Requests that were answered 503. */
  refused: number;
  /** Requests whose connection was refused, or broke off before the answer. */
  brokenOff: number;
  /** Milliseconds of the slowest answer. */
  longest: number;
}

/** A load on a deployment, into which faults are injected, and what it shows in the end. */
export class Trial {
  private readonly random: Random;
  private readonly load: Load;
  /** Requests that were broken off in rounds in which an API was killed. */
  private excused = 0;

  /** @param seed the same one breaks the same things after the same pauses */
  constructor(
    private readonly deployment: Deployment,
    seed: number,
  ) {
    this.random = new Random(seed);
    this.load = Load.on(deployment.apis, { pause: 20, again: 0.2, random: new Random(seed) });
  }

  /**
   * Breaks and heals once, at a random moment.
   * @throws Error where The Eye does not take events again
   */
  async round(fault: Fault): Promise<void> {
    const { apis } = this.deployment;
    const processes = apis.map(({ process }) => process);
    const { brokenOff } = this.load;
    await this.load.answered(202, RECOVERY_RESPONSES);
    await wait(this.random.between(0, 1000));
    try {
      await fault.inject(this.deployment, this.random, this.load);
    } finally {
      await this.deployment.heal();
    }
    await this.load.answered(202, RECOVERY_RESPONSES);
    // Who was killed is another process now.
    const killed = apis.some(({ process }, index) => process !== processes[index]);
    if (killed) this.excused += this.load.brokenOff - brokenOff;
  }

  /** @throws Error where the backlog does not end */
  async end(): Promise<Result> {
    const account = await this.load.account();
    const { statuses, brokenOff, longest } = this.load;
    return { ...account, refused: statuses.get(503) ?? 0, brokenOff, longest };
  }

  async stop(): Promise<void> {
    await this.load.stop();
  }

  /** What was not as promised; nothing where all was. */
  complaints(result: Result): string[] {
    const { brokenOff, longest } = result;
    const unexcused = brokenOff - this.excused;
    return [
      ...brokenPromises(result),
      ...(longest > MAX_RESPONSE_MS ? [`an answer took ${Math.round(longest)} ms`] : []),
      ...(unexcused > 0 ? [`${unexcused} requests were broken off while no API was killed`] : []),
      ...this.deployment.deaths,
      ...new Set(this.load.faults),
    ];
  }
}
