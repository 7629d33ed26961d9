import autocannon, { type Client } from 'autocannon';
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { manyEvents, manyLines, NEW, oneEvent, SESSION } from './events.js';
import { type Latency, latency } from '../../testing/statistics.js';

export interface Load {
  connections: number;
  /** Events in a request. */
  events: number;
  /** @param session the identifier of the session of single events */
  body: (session: string) => string;
  contentType: 'application/json' | 'application/x-ndjson';
  headers?: Record<string, string>;
}

/** How long: seconds, or a number of requests; of those with many events only the ones that are answered 2xx count. */
export type Extent = { duration: number } | { amount: number };

export interface Answers {
  /** Events that were answered 2xx. */
  events: number;
  /** Requests that were answered 503 (too busy, come back later), which count for nothing else. */
  refused: number;
  /** From the first request to the last answer. */
  seconds: number;
  latency: Latency;
}

export const singles = (connections: number): Load => ({
  connections,
  events: 1,
  body: oneEvent,
  contentType: 'application/json',
});

export const arrays = (events: number, connections = 8): Load => ({
  connections,
  events,
  body: () => manyEvents(events),
  contentType: 'application/json',
});

/** As large as a request may be. */
export const ndjson = (connections = 4): Load => ({
  connections,
  events: 5000,
  body: () => manyLines(5000),
  contentType: 'application/x-ndjson',
});

/**
 * Posts from this process, which is the load generator and shares the machine with what it measures.
 * @throws Error where an answer is neither 2xx nor 503, or does not come
 */
export async function load(url: string, what: Load, extent: Extent): Promise<Answers> {
  const began = performance.now();
  const { milliseconds, refused, last } = await (what.events === 1 ? sendSingles : sendMany)(
    `${url}/events/`,
    what,
    extent,
  );
  return {
    events: milliseconds.length * what.events,
    refused,
    seconds: (last - began) / 1000,
    latency: latency(milliseconds),
  };
}

interface Sent {
  /** Of each answer that was 2xx. */
  milliseconds: number[];
  refused: number;
  /** When the last answer came. */
  last: number;
}

async function sendSingles(url: string, what: Load, extent: Extent): Promise<Sent> {
  const sent: Sent = { milliseconds: [], refused: 0, last: 0 };
  let others = 0;
  const result = await autocannon({
    url,
    method: 'POST',
    headers: { 'content-type': what.contentType, ...what.headers },
    body: what.body(randomUUID()),
    connections: what.connections,
    ...extent,
    idReplacement: true,
    timeout: 60,
    // autocannon's own percentiles are whole milliseconds.
    setupClient: (client: Client) => {
      let requests = 0;
      client.on('response', (status, _bytes, time) => {
        // Each connection goes on to another session, as its visitors do.
        if (++requests % SESSION === 0) client.setBody(what.body(randomUUID()));
        if (status >= 200 && status < 300) sent.milliseconds.push(time);
        else if (status === 503) sent.refused++;
        else others++;
        sent.last = performance.now();
      });
    },
  });
  if (others > 0 || result.errors > 0)
    throw new Error(`${others} answers were neither 2xx nor 503, and ${result.errors} requests had none.`);
  return sent;
}

/** Senders who come back when they are asked to, which autocannon's do not. */
async function sendMany(url: string, what: Load, extent: Extent): Promise<Sent> {
  const sent: Sent = { milliseconds: [], refused: 0, last: 0 };
  const end = 'duration' in extent ? performance.now() + extent.duration * 1000 : Infinity;
  let left = 'amount' in extent ? extent.amount : Infinity;
  const body = what.body('');
  const send = async (): Promise<void> => {
    while (left > 0 && performance.now() < end) {
      left--;
      const events = body.replaceAll(NEW, randomUUID());
      const began = performance.now();
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': what.contentType, ...what.headers },
        body: events,
      });
      await response.arrayBuffer();
      sent.last = performance.now();
      if (response.ok) sent.milliseconds.push(sent.last - began);
      else if (response.status === 503) {
        sent.refused++;
        left++;
        await wait(1000 * Number(response.headers.get('retry-after')));
      } else throw new Error(`An answer was ${response.status}: neither 2xx nor 503.`);
    }
  };
  await Promise.all(Array.from({ length: what.connections }, send));
  return sent;
}
