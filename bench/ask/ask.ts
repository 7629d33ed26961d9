import type { TheEye } from '../../testing/the-eye.js';
import { onTheEye } from '../../testing/on-the-eye.js';
import { logProgress } from '../support/progress.js';
import { type Latency, latency } from '../../testing/statistics.js';
import { fill } from './fill.js';
import { explain } from './plans.js';
import { kindOf, type QueryKind, type Queries, makeQueries } from './queries.js';

export interface AskResults {
  /** Requests per query and table size. */
  requests: number;
  sizes: number[];
  /** Response times in milliseconds, one entry per table size. */
  questions: { name: string; kind: QueryKind; latencies: Latency[] }[];
  /** Query plans at the largest size. */
  plans?: string;
}

/**
 * Measures query latency on small and large tables.
 * @param withPlans also records PostgreSQL's plans
 */
export async function measureAsk(quick: boolean, withPlans: boolean): Promise<AskResults> {
  const sizes = quick ? [20_000, 100_000] : [100_000, 1_000_000, 10_000_000];
  const [warmUp, requests] = quick ? [5, 30] : [20, 500];
  return onTheEye(async (eye) => {
    const latencies = new Map<string, Latency[]>();
    let queries: Queries = new Map();
    for (const size of sizes) {
      logProgress(`ask: ${size.toLocaleString('en')} events`);
      await fill(eye, size);
      queries = await makeQueries(eye, size);
      for (const [name, milliseconds] of await runQueries(eye, queries, warmUp, requests))
        latencies.set(name, [...(latencies.get(name) ?? []), latency(milliseconds)]);
    }
    return {
      requests,
      sizes,
      questions: [...latencies].map(([name, each]) => ({
        name,
        kind: kindOf(queries.get(name)?.() ?? ''),
        latencies: each,
      })),
      plans: withPlans ? await explain(eye, queries) : undefined,
    };
  });
}

/**
 * Interleaves the queries, so that a slow moment of the machine affects all of them.
 * @param warmUp unmeasured requests per query
 */
async function runQueries(
  eye: TheEye,
  queries: Queries,
  warmUp: number,
  requests: number,
): Promise<Map<string, number[]>> {
  const times = new Map<string, number[]>([...queries.keys()].map((name) => [name, []]));
  for (let request = -warmUp; request < requests; request++) {
    for (const [name, question] of queries) {
      const path = question();
      const { status, took, body } = await eye.get(path);
      if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
      if (body.results?.length === 0 || body.total === 0) throw new Error(`${path} returned no rows.`);
      if (request >= 0) times.get(name)?.push(took);
    }
  }
  return times;
}
