import autocannon, { type Client } from 'autocannon';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import {
  arrayBody,
  eventBody,
  EVENTS_PER_SESSION,
  ID_PLACEHOLDER,
  ndjsonBody,
  segmentBody,
  translatedBody,
} from './events.js';
import { type Latency, latency } from '../../testing/statistics.js';

export interface Workload {
  /** `/events/` if it is undefined. */
  path?: string;
  connections: number;
  /** Events per request. */
  events: number;
  /** @param session the session id of single events */
  body: (session: string) => string;
  contentType: 'application/json' | 'application/x-ndjson';
  headers?: Record<string, string>;
  /** Requests per second of all connections together, evenly spread; undefined for as many as they can send. */
  perSecond?: number;
}

/** Seconds, or a number of requests. Among requests with many events, only those with a 2xx response count. */
export type RunLength = { duration: number } | { amount: number };

export interface LoadResult {
  /** Events with a 2xx response. */
  events: number;
  /** Requests with a 503 response, which are not counted elsewhere. */
  refused: number;
  /** Seconds from the first request to the last response. */
  seconds: number;
  latency: Latency;
}

export const singles = (connections: number): Workload => ({
  connections,
  events: 1,
  body: eventBody,
  contentType: 'application/json',
});

/** The rate that The Eye is made for. */
export const paced = (): Workload => ({ ...singles(10), perSecond: 100 });

export const arrays = (events: number, connections = 8): Workload => ({
  connections,
  events,
  body: () => arrayBody(events),
  contentType: 'application/json',
});

/** Batches of Segment's messages. */
export const segmentBatches = (events: number): Workload => ({
  ...arrays(events),
  path: '/v1/batch',
  body: () => segmentBody(events),
});

/** Arrays of the events that those messages become. */
export const translatedArrays = (events: number): Workload => ({
  ...arrays(events),
  body: () => translatedBody(events),
});

/** Requests of the maximum number of events. */
export const ndjson = (connections = 4): Workload => ({
  connections,
  events: 5000,
  body: () => ndjsonBody(5000),
  contentType: 'application/x-ndjson',
});

/**
 * Sends requests from this process, which shares the machine with the measured server.
 * @throws Error if a response is neither 2xx nor 503, or is missing
 */
export async function load(url: string, workload: Workload, runLength: RunLength): Promise<LoadResult> {
  const startedAt = performance.now();
  const { milliseconds, refused, lastResponseAt } = await senderOf(workload)(
    `${url}${workload.path ?? '/events/'}`,
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
  /** Response time of each 2xx response. */
  milliseconds: number[];
  refused: number;
  /** Time of the last response, as `performance.now()`. */
  lastResponseAt: number;
}

function senderOf({ events, perSecond }: Workload): typeof sendSingles {
  if (perSecond !== undefined) return sendPaced;
  return events === 1 ? sendSingles : sendMany;
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
    // autocannon rounds its own percentiles to whole milliseconds.
    setupClient: (client: Client) => {
      let requests = 0;
      client.on('response', (status, _bytes, time) => {
        // Each connection continues with another session, like real visitors.
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
      `${unexpected} responses were neither 2xx nor 503, and ${result.errors} requests had no response.`,
    );
  return sent;
}

/** Clients that honour Retry-After, which autocannon does not. */
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
      } else throw new Error(`A response was ${response.status}: neither 2xx nor 503.`);
    }
  };
  await Promise.all(Array.from({ length: workload.connections }, send));
  return sent;
}

/**
 * Clients that each send one event at a time, at moments that are evenly spread over all of them. autocannon sends the requests
 * of a second in one go.
 */
async function sendPaced(url: string, workload: Workload, runLength: RunLength): Promise<SendResult> {
  const { connections, perSecond = Infinity } = workload;
  const sent: SendResult = { milliseconds: [], refused: 0, lastResponseAt: 0 };
  const requests = 'amount' in runLength ? runLength.amount : runLength.duration * perSecond;
  const startedAt = performance.now();
  const send = async (first: number): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let body = '';
    for (let index = first; index < requests; index += connections) {
      const sentOnConnection = Math.floor(index / connections);
      if (sentOnConnection % EVENTS_PER_SESSION === 0) body = workload.body(randomUUID());
      await wait(Math.max(0, startedAt + (index / perSecond) * 1000 - performance.now()));
      const sentAt = performance.now();
      const status = await post(url, workload, body.replaceAll(ID_PLACEHOLDER, randomUUID()), agent);
      sent.lastResponseAt = performance.now();
      if (status >= 200 && status < 300) sent.milliseconds.push(sent.lastResponseAt - sentAt);
      else if (status === 503) sent.refused++;
      else throw new Error(`A response was ${status}: neither 2xx nor 503.`);
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: connections }, (_, first) => send(first)));
  return sent;
}

/** Resolves with the status once the response has ended. */
async function post(
  url: string,
  { contentType, headers }: Workload,
  body: string,
  agent: Agent,
): Promise<number> {
  const sent = request(url, { method: 'POST', agent, headers: { 'content-type': contentType, ...headers } });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  await once(response.resume(), 'end');
  return response.statusCode ?? 0;
}
