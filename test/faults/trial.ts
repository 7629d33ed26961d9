import { setTimeout as wait } from 'node:timers/promises';
import { type Account, Load } from '../support/load.js';
import { Random } from '../support/random.js';
import { Deployment } from './deployment.js';
import type { Fault } from './faults.js';

export interface Result {
  name: string;
  rounds: number;
  account?: Account;
  /** Milliseconds of the slowest answer. */
  longest: number;
  /** What was not as promised; empty where all was. */
  complaints: string[];
}

/** Milliseconds within which every sender is promised an answer: REDIS_TIMEOUT, and what it takes to say it. */
const DEADLINE = 2000;

/** Answers 202 that show that The Eye works again. */
const GOOD = 10;

/** Injects a fault so many times into one load, and holds what is stored at the end against what was promised. */
export async function tryFault(fault: Fault, rounds: number, seed: number): Promise<Result> {
  const deployment = await Deployment.start(fault.shape ?? {});
  try {
    return await tryOn(deployment, fault, rounds, seed);
  } finally {
    await deployment.close();
  }
}

/** The same on a deployment that others have used. */
export async function tryOn(
  deployment: Deployment,
  fault: Fault,
  rounds: number,
  seed: number,
): Promise<Result> {
  const random = new Random(seed);
  const load = Load.on(deployment.apis, { pause: 20, again: 0.2, random: new Random(seed) });
  const result: Result = { name: fault.name, rounds: 0, longest: 0, complaints: [] };
  try {
    await load.answered(202, GOOD);
    while (result.rounds < rounds) {
      await wait(random.between(0, 1000));
      await fault.inject(deployment, random, load);
      await deployment.heal();
      await load.answered(202, GOOD);
      result.rounds++;
    }
    result.account = await load.account();
  } catch (error) {
    result.complaints.push(`round ${result.rounds + 1}: ${(error as Error).message}`);
    await deployment.heal().catch(() => undefined);
  }
  await load.stop();
  result.longest = load.longest;
  result.complaints.push(...complaintsOf(result, load));
  return result;
}

function complaintsOf({ account, longest }: Result, { faults }: Load): string[] {
  const { lost = 0, doubled = 0, changed = 0 } = account ?? {};
  return [
    ...(lost > 0 ? [`${lost} lost`] : []),
    ...(doubled > 0 ? [`${doubled} doubled`] : []),
    ...(changed > 0 ? [`${changed} changed`] : []),
    ...(longest > DEADLINE ? [`an answer took ${Math.round(longest)} ms`] : []),
    ...new Set(faults),
  ];
}
