import autocannon, { type Client } from 'autocannon';
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { arrayBody, ndjsonBody, ID_PLACEHOLDER, eventBody, EVENTS_PER_SESSION } from './events.js';
import { type Latency, latency } from '../../testing/statistics.js';

export interface Workload {
  connections: number;
  /** Events in a request. */
  events: number;
  /** @param session the identifier of the session of single events */
  body: (session: string) => string;
  contentType: 'application/json' | 'application/x-ndjson';
  headers?: Record<string, string>;
}

/** How long: seconds, or a number of requests; of those with many events only the ones that are answered 2xx count. */
export type RunLength = { duration: number } | { amount: number };

export interface LoadResult {
  /** Events that were answered 2xx. */
  events: number;
  /** Requests that were answered 503 (too busy, come back later), which count for nothing else. */
  refused: number;
  /** From the first request to the last answer. */
  seconds: number;
  latency: Latency;
}

export const singles = (connections: number): Workload => ({
  connections,
  events: 1,
  body: eventBody,
  contentType: 'application/json',
});

export const arrays = (events: number, connections = 8): Workload => ({
  connections,
  events,
  body: () => arrayBody(events),
  contentType: 'application/json',
});

/** As large as a request may be. */
export const ndjson = (connections = 4): Workload => ({
  connections,
  events: 5000,
  body: () => ndjsonBody(5000),
  contentType: 'application/x-ndjson',
});

/**
 * Posts from this process, which is the load generator and shares the machine with what it measures.
 * @throws Error where an answer is neither 2xx nor 503, or does not come
 */
export async function load(url: string, workload: Workload, runLength: RunLength): Promise<LoadResult> {
  const startedAt = performance.now();
  const { milliseconds, refused, lastResponseAt } = await (workload.events === 1 ? sendSingles : sendMany)(
    `${url}/events/`,
    workload,
    runLength,
  );
  return {
    events: milliseconds.length * workload.events,
    refused,
    seconds: (lastResponseAt - startedAt) / 1000,
    latency: latency(milliseconds),
  };
}

interface SendResult {
  /** Of each answer that was 2xx. */
  milliseconds: number[];
  refused: number;
  /** When the last answer came. */
  lastResponseAt: number;
}

async function sendSingles(url: string, workload: Workload, runLength: RunLength): Promise<SendResult> {
  const sent: SendResult = { milliseconds: [], refused: 0, lastResponseAt: 0 };
  let unexpected = 0;
  const result = await autocannon({
    url,
    method: 'POST',
    headers: { 'content-type': workload.contentType, ...workload.headers },
    body: workload.body(randomUUID()),
    connections: workload.connections,
    ...runLength,
    idReplacement: true,
    timeout: 60,
    // autocannon's own percentiles are whole milliseconds.
    setupClient: (client: Client) => {
      let requests = 0;
      client.on('response', (status, _bytes, time) => {
        // Each connection goes on to another session, as its visitors do.
        if (++requests % EVENTS_PER_SESSION === 0) client.setBody(workload.body(randomUUID()));
        if (status >= 200 && status < 300) sent.milliseconds.push(time);
        else if (status === 503) sent.refused++;
        else unexpected++;
        sent.lastResponseAt = performance.now();
      });
    },
  });
  if (unexpected > 0 || result.errors > 0)
    throw new Error(
      `${unexpected} answers were neither 2xx nor 503, and ${result.errors} requests had none.`,
    );
  return sent;
}

/** Senders who come back when they are asked to, which autocannon's do not. */
async function sendMany(url: string, workload: Workload, runLength: RunLength): Promise<SendResult> {
  const sent: SendResult = { milliseconds: [], refused: 0, lastResponseAt: 0 };
  const end = 'duration' in runLength ? performance.now() + runLength.duration * 1000 : Infinity;
  let left = 'amount' in runLength ? runLength.amount : Infinity;
  const body = workload.body('');
  const send = async (): Promise<void> => {
    while (left > 0 && performance.now() < end) {
      left--;
      const events = body.replaceAll(ID_PLACEHOLDER, randomUUID());
      const startedAt = performance.now();
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': workload.contentType, ...workload.headers },
        body: events,
      });
      await response.arrayBuffer();
      sent.lastResponseAt = performance.now();
      if (response.ok) sent.milliseconds.push(sent.lastResponseAt - startedAt);
      else if (response.status === 503) {
        sent.refused++;
        left++;
        await wait(1000 * Number(response.headers.get('retry-after')));
      } else throw new Error(`An answer was ${response.status}: neither 2xx nor 503.`);
    }
  };
  await Promise.all(Array.from({ length: workload.connections }, send));
  return sent;
}
