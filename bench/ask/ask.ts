import { onTheEye } from '../../testing/on-the-eye.js';
import { type Latency, latency } from '../../testing/statistics.js';
import type { EyeResponse, TheEye } from '../../testing/the-eye.js';
import { waitForCopy } from '../support/backlog.js';
import { logProgress } from '../support/progress.js';
import { type CopySize, Engine } from './engine.js';
import { fill } from './fill.js';
import { type Instance, type Question, QUESTIONS } from './questions.js';
import { measureTogether, type TogetherResults } from './together.js';

/** How long something took. */
export interface Cost {
  /** Milliseconds. */
  latency: Latency;
  /** Requests that needed more time or memory than they may. */
  failed: number;
  /** Milliseconds of CPU time of ClickHouse's process, which merges parts meanwhile. */
  cpu: number;
}

/** The Eye or plain SQL, whichever is measured. */
interface Side {
  took: number[];
  failed: number;
  /** Seconds. */
  cpu: number;
  /** @returns whether there was an answer */
  readonly run: (instance: Instance) => Promise<boolean>;
}

export interface QuestionResult {
  name: string;
  /** Milliseconds. */
  aim?: number;
  /** To each side: fewer than those of AskResults if they take long. */
  requests: number;
  eye: Cost;
  byHand: Cost;
}

export interface SizeResult {
  events: number;
  bytes: CopySize;
  /** Resident bytes of ClickHouse's process: before the questions, and at most during them. */
  idleMemory: number;
  peakMemory: number;
  questions: QuestionResult[];
  together: TogetherResults;
}

export interface AskResults {
  /** Requests per question at most. */
  requests: number;
  sizes: SizeResult[];
}

const MILLION = 1_000_000;

/** Requests in a row to one side, before as many to the other: CPU time is counted in hundredths of a second. */
const BATCH_SIZE = 10;

/** Seconds after which no further requests are begun for a question. A slow one is asked less often. */
const MAX_SECONDS = 60;

/** Unmeasured requests per question to each side. */
const WARM_UP = 5;

/**
 * Measures questions to ClickHouse, beside the same ones by hand in SQL. ClickHouse is filled directly, because PostgreSQL
 * would take too long.
 * @param large also with 100 million events, which take a quarter of an hour and 6 GB
 */
export async function measureAsk(quick: boolean, large: boolean): Promise<AskResults> {
  const sizes = quick ? [MILLION / 5] : large ? [10 * MILLION, 100 * MILLION] : [10 * MILLION];
  const requests = quick ? 20 : 100;
  const results: SizeResult[] = [];
  for (const size of sizes) results.push(await onTheEye((eye) => measure(eye, size, requests, quick)));
  return { requests, sizes: results };
}

async function measure(eye: TheEye, events: number, requests: number, quick: boolean): Promise<SizeResult> {
  await waitForCopy(eye);
  const engine = await Engine.of(eye);
  try {
    await fill(engine, events);
    const bytes = await engine.size();
    const idleMemory = await engine.memory();
    await engine.resetPeakMemory();
    const questions: QuestionResult[] = [];
    for (const question of QUESTIONS) {
      logProgress(`ask: ${question.name}`);
      const costs = await measureQuestion(eye, engine, question, requests);
      // A run takes long enough that one may want to know before its end.
      logProgress(`ask: ${describe(costs.eye)}; by hand ${describe(costs.byHand)}`);
      questions.push({
        name: question.name,
        aim: question.aims?.[events < 100 * MILLION ? 0 : 1],
        ...costs,
      });
    }
    const together = await measureTogether(eye, quick);
    return { events, bytes, idleMemory, peakMemory: await engine.peakMemory(), questions, together };
  } finally {
    await engine.close();
  }
}

const describe = ({ latency: { p50, p99 }, failed }: Cost): string =>
  `p50 ${Math.round(p50)} ms, p99 ${Math.round(p99)} ms, ${failed} failed`;

/** Asks The Eye and, by hand, ClickHouse, in turns. */
async function measureQuestion(
  eye: TheEye,
  engine: Engine,
  { make }: Question,
  requests: number,
): Promise<Pick<QuestionResult, 'requests' | 'eye' | 'byHand'>> {
  const sides: Record<'eye' | 'byHand', Side> = {
    eye: { took: [], failed: 0, cpu: 0, run: async ({ ask }) => isAnswered(await ask(eye)) },
    byHand: { took: [], failed: 0, cpu: 0, run: ({ sql }) => engine.succeeds(sql) },
  };
  for (let warmUp = 0; warmUp < WARM_UP; warmUp++)
    for (const { run } of Object.values(sides)) await run(make());
  const end = performance.now() + MAX_SECONDS * 1000;
  for (let done = 0; done < requests && performance.now() < end; done += BATCH_SIZE) {
    const instances = Array.from({ length: Math.min(BATCH_SIZE, requests - done) }, make);
    for (const side of Object.values(sides)) {
      const before = await engine.cpu();
      for (const instance of instances) {
        const startedAt = performance.now();
        if (!(await side.run(instance))) side.failed++;
        side.took.push(performance.now() - startedAt);
      }
      side.cpu += (await engine.cpu()) - before;
    }
  }
  const cost = ({ took, failed, cpu }: Side): Cost => ({
    latency: latency(took),
    failed,
    cpu: (cpu / took.length) * 1000,
  });
  return { requests: sides.eye.took.length, eye: cost(sides.eye), byHand: cost(sides.byHand) };
}

/** @throws Error unless the question was answered, or refused because it, or all of this moment, need too much */
function isAnswered({ status, body }: EyeResponse): boolean {
  if (![200, 422, 503].includes(status)) throw new Error(`No answer: ${status} ${JSON.stringify(body)}`);
  return status === 200;
}
