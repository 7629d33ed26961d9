import { setMaxListeners } from 'node:events';
import { setPriority } from 'node:os';
import { ATTACKS } from './attacks.js';
import { Client, Tally } from './client.js';

/*
 * The process that attacks. Each message of the runner starts an attack, and the response says what it received. On the
 * cores of The Eye it stands for machines of others, so it runs with a lower priority.
 */

export interface AttackOrder {
  name: string;
  url: string;
  key: string | undefined;
  /** Senders at once; those of the attack if it is undefined. */
  senders?: number;
  /** Requests of each sender; unlimited if it is undefined. */
  times?: number;
  /** Milliseconds after which the attack ends. */
  durationMs: number;
}

export interface AttackReport extends Pick<Tally, 'statuses' | 'largest'> {
  /** Requests that have ended before the attack. */
  requests: number;
}

const PRIORITY = 10;

/** Milliseconds of a sender whose request was refused without a response, so that it does not only open connections. */
const REFUSED_PAUSE_MS = 10;

async function attack({
  name,
  url,
  key,
  senders,
  times = Infinity,
  durationMs,
}: AttackOrder): Promise<AttackReport> {
  const chosen = ATTACKS.find((one) => one.name === name);
  if (!chosen) throw new Error(`There is no attack ${name}.`);
  const tally = new Tally();
  const ended = new AbortController();
  // One for each connection.
  setMaxListeners(0, ended.signal);
  const timer = setTimeout(() => ended.abort(), durationMs);
  let requests = 0;
  const sendAll = async (): Promise<void> => {
    const client = new Client(url, key, ended.signal, tally);
    for (let time = 0; time < times && !ended.signal.aborted; time++) {
      const startedAt = performance.now();
      await chosen.request(client);
      if (!ended.signal.aborted) requests++;
      if (chosen.pauseMs !== undefined) await client.pause(chosen.pauseMs);
      else if (performance.now() - startedAt < 1) await client.pause(REFUSED_PAUSE_MS);
    }
  };
  await Promise.all(Array.from({ length: senders ?? chosen.senders }, sendAll));
  clearTimeout(timer);
  ended.abort();
  return { requests, statuses: tally.statuses, largest: tally.largest };
}

setPriority(PRIORITY);
process.on('message', (order: AttackOrder) => {
  attack(order).then(
    (report) => process.send?.({ report }),
    (error: Error) => process.send?.({ error: error.message }),
  );
});
process.on('disconnect', () => process.exit());
