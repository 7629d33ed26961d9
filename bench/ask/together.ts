import type { TheEye } from '../../testing/the-eye.js';
import { type Latency, latency } from '../../testing/statistics.js';
import { waitForCopy, waitForDrain } from '../support/backlog.js';
import { load, singles } from '../support/load.js';
import { logProgress } from '../support/progress.js';
import { askedMeanwhile } from './questions.js';

/** Questions that are asked at once. */
export const ASKERS = 16;

const CONNECTIONS = 64;

export interface TogetherResults {
  /** Milliseconds until all of sixteen questions were answered that were asked at the same moment. */
  allAnswered: number;
  /** How many places later than it was asked a question was answered at most. */
  displacement: number;
  /** Questions, of all that were asked beside others, that got no answer because they needed too much time or memory. */
  failed: number;
  rounds: { alone: number; asked: number }[];
  /** Questions that were answered while events arrived, and how long each took with its time in the queue. */
  answered: number;
  latency: Latency;
}

/** Asks sixteen questions at once, and goes on doing so while events arrive as fast as they are accepted. */
export async function measureTogether(eye: TheEye, quick: boolean): Promise<TogetherResults> {
  const { allAnswered, displacement, failed } = await askAtOnce(eye);
  const [rounds, duration] = quick ? [1, 3] : [3, 10];
  const results: TogetherResults['rounds'] = [];
  const took: number[] = [];
  let refused = failed;
  await rate(eye, duration);
  for (let round = 1; round <= rounds; round++) {
    logProgress(`ask: accepting alone and with ${ASKERS} questions, round ${round} of ${rounds}`);
    const alone = await rate(eye, duration);
    const stop = new AbortController();
    const askers = Array.from({ length: ASKERS }, async () => {
      while (!stop.signal.aborted) {
        const { isAnswered, milliseconds } = await answer(eye);
        if (isAnswered) took.push(milliseconds);
        else refused++;
      }
    });
    const asked = await rate(eye, duration).finally(() => stop.abort());
    await Promise.all(askers);
    results.push({ alone, asked });
  }
  return {
    allAnswered,
    displacement,
    failed: refused,
    rounds: results,
    answered: took.length,
    latency: latency(took),
  };
}

async function askAtOnce(
  eye: TheEye,
): Promise<Pick<TogetherResults, 'allAnswered' | 'displacement' | 'failed'>> {
  const startedAt = performance.now();
  let failed = 0;
  const order: number[] = [];
  await Promise.all(
    Array.from({ length: ASKERS }, async (_, asked) => {
      const { isAnswered } = await answer(eye);
      if (!isAnswered) failed++;
      order.push(asked);
    }),
  );
  return {
    allAnswered: performance.now() - startedAt,
    displacement: Math.max(...order.map((asked, place) => place - asked)),
    failed,
  };
}

/** @throws Error unless the question is answered, or refused because it, or those of this moment, need too much */
async function answer(eye: TheEye): Promise<{ isAnswered: boolean; milliseconds: number }> {
  const { status, took, body } = await askedMeanwhile().ask(eye);
  if (![200, 422, 503].includes(status))
    throw new Error(`A question was not answered: ${status} ${JSON.stringify(body)}`);
  return { isAnswered: status === 200, milliseconds: took };
}

/** Events accepted per second. The next measurement begins when they are stored and copied. */
async function rate(eye: TheEye, duration: number): Promise<number> {
  const { events, seconds } = await load(eye.url, singles(CONNECTIONS), { duration });
  await waitForDrain(eye);
  await waitForCopy(eye);
  return events / seconds;
}
