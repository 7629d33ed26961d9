import { setTimeout as wait } from 'node:timers/promises';
import { type Account, brokenPromises } from '../support/ledger.js';
import { Load } from '../support/load.js';
import { Random } from '../support/random.js';
import type { Deployment } from './deployment.js';
import type { Fault } from './faults.js';

/** Milliseconds within which every sender is promised an answer: REDIS_TIMEOUT, and what it takes to say it. */
const DEADLINE = 2000;

/** Answers 202 that show that The Eye works again. */
const GOOD = 10;

export interface Result extends Account {
  /** Requests that were answered 503, or not at all because who should have answered was killed. */
  refused: number;
  /** Milliseconds of the slowest answer. */
  longest: number;
}

/** A load on a deployment, into which faults are injected, and what it shows in the end. */
export class Trial {
  private readonly random: Random;
  private readonly load: Load;

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
    await this.load.answered(202, GOOD);
    await wait(this.random.between(0, 1000));
    try {
      await fault.inject(this.deployment, this.random, this.load);
    } finally {
      await this.deployment.heal();
    }
    await this.load.answered(202, GOOD);
  }

  /** @throws Error where the backlog does not end */
  async end(): Promise<Result> {
    const account = await this.load.account();
    const { statuses, unanswered, longest } = this.load;
    return { ...account, refused: (statuses.get(503) ?? 0) + unanswered, longest };
  }

  async stop(): Promise<void> {
    await this.load.stop();
  }

  /** What was not as promised; nothing where all was. */
  complaints(result: Result): string[] {
    const { longest } = result;
    return [
      ...brokenPromises(result),
      ...(longest > DEADLINE ? [`an answer took ${Math.round(longest)} ms`] : []),
      ...new Set(this.load.faults),
    ];
  }
}
