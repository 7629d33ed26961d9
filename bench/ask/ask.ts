import type { TheEye } from '../../test/support/the-eye.js';
import { onTheEye } from '../support/on-the-eye.js';
import { progress } from '../support/progress.js';
import { type Latency, latency } from '../support/statistics.js';
import { fill } from './fill.js';
import { explain } from './plans.js';
import { matched, questions } from './questions.js';

/** Requests of each question before anything counts. */
const WARM_UP = 20;

export interface AskResults {
  /** Requests of each question at each size. */
  requests: number;
  sizes: number[];
  /** Milliseconds of an answer, a figure for each size. */
  questions: { name: string; latencies: Latency[] }[];
  /** At the largest size. */
  plans?: string;
}

/**
 * What answers cost at a small and at a large table.
 * @param withPlans also PostgreSQL's plans
 */
export async function measureAsk(quick: boolean, withPlans: boolean): Promise<AskResults> {
  const sizes = quick ? [100_000, 1_000_000] : [100_000, 1_000_000, 10_000_000];
  const requests = quick ? 100 : 500;
  return onTheEye(async (eye) => {
    const byName = new Map<string, Latency[]>();
    for (const size of sizes) {
      progress(`ask: ${size.toLocaleString('en')} events`);
      await fill(eye, size);
      for (const [name, milliseconds] of await askAll(eye, size, requests))
        byName.set(name, [...(byName.get(name) ?? []), latency(milliseconds)]);
    }
    const plans = withPlans ? await explain(eye, sizes.at(-1) ?? 0) : undefined;
    const all = [...byName].map(([name, latencies]) => ({ name, latencies }));
    return { requests, sizes, questions: all, plans };
  });
}

/** Each question in turn, again and again, so that a moment in which the machine is slow meets all of them. */
async function askAll(eye: TheEye, events: number, requests: number): Promise<Map<string, number[]>> {
  const asked = await questions(eye, events);
  const times = new Map<string, number[]>([...asked.keys()].map((name) => [name, []]));
  for (let request = -WARM_UP; request < requests; request++) {
    for (const [name, question] of asked) {
      const path = question();
      const { status, took, body } = await eye.get(path);
      if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
      matched(path, body);
      if (request >= 0) times.get(name)?.push(took);
    }
  }
  return times;
}
