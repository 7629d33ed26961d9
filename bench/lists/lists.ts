import type { TheEye } from '../../testing/the-eye.js';
import { onTheEye } from '../../testing/on-the-eye.js';
import { logProgress } from '../support/progress.js';
import { type Latency, latency } from '../../testing/statistics.js';
import { fill } from './fill.js';
import { explain } from './plans.js';
import { kindOf, type QueryKind, type Queries, makeQueries } from './queries.js';

export interface ListResults {
  /** Requests per query and table size. */
  requests: number;
  sizes: number[];
  /** Response times in milliseconds, one entry per table size. */
  lists: { name: string; kind: QueryKind; latencies: Latency[] }[];
  /** PostgreSQL's plans at the largest size. */
  plans?: string;
}

/**
 * Measures the latency of lists that PostgreSQL answers, on a small and a large table.
 * @param withPlans also records PostgreSQL's plans
 */
export async function measureLists(quick: boolean, withPlans: boolean): Promise<ListResults> {
  const sizes = quick ? [20_000, 100_000] : [100_000, 1_000_000];
  const [warmUp, requests] = quick ? [5, 30] : [20, 500];
  return onTheEye(async (eye) => {
    const latencies = new Map<string, Latency[]>();
    let queries: Queries = new Map();
    for (const size of sizes) {
      logProgress(`lists: ${size.toLocaleString('en')} events`);
      await fill(eye, size);
      queries = await makeQueries(eye, size);
      for (const [name, milliseconds] of await runQueries(eye, queries, warmUp, requests))
        latencies.set(name, [...(latencies.get(name) ?? []), latency(milliseconds)]);
    }
    return {
      requests,
      sizes,
      lists: [...latencies].map(([name, each]) => ({
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
      if (body.results?.length === 0) throw new Error(`${path} returned no rows.`);
      if (request >= 0) times.get(name)?.push(took);
    }
  }
  return times;
}
