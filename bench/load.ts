import autocannon from 'autocannon';

export interface Load {
  connections: number;
  /** Seconds. */
  duration: number;
  body: string;
  /** Events in the body. */
  events: number;
  headers?: Record<string, string>;
}

export interface Answers {
  /** Events that were answered 2xx. */
  events: number;
  /** Seconds from the first request to the last answer. */
  seconds: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
}

/**
 * Posts from this process, which is the load generator and shares the machine with what it measures.
 * @throws Error where an answer is not 2xx: a refused request would count as a fast one
 */
export async function load(
  url: string,
  { connections, duration, body, events, headers }: Load,
): Promise<Answers> {
  const result = await autocannon({
    url: `${url}/events/`,
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
    connections,
    duration,
    idReplacement: true,
  });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${result.non2xx} answers were not 2xx, and ${result.errors} requests had none.`);
  return {
    events: result['2xx'] * events,
    seconds: result.duration,
    p50: result.latency.p50,
    p99: result.latency.p99,
  };
}
