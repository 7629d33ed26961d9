import { setTimeout as sleep } from 'node:timers/promises';
import { BatchEventsRepository } from '../replication/batch-events.repository.js';
import { BatchesRepository } from '../replication/batches.repository.js';
import { CopyRepository } from '../replication/copy.repository.js';
import { Eraser } from '../replication/eraser.js';
import { Replicator } from '../replication/replicator.js';
import { type CopyDifference, Verification } from '../replication/verification.js';
import type { Command } from './command-context.js';

export const providers = [
  BatchesRepository,
  BatchEventsRepository,
  CopyRepository,
  Eraser,
  Replicator,
  Verification,
];

export const needsClickHouse = true;

/** One fault can cause a million differences. */
const MAX_SHOWN_DIFFERENCES = 100;

/** Milliseconds after which the command tries again to copy, while a worker does. */
const CLAIM_INTERVAL_MS = 200;

/** Milliseconds after which a worker may take over. */
const STEP_MS = 1000;

const verify: Command = async (context) => {
  const { events, differences } = await context.get(Verification).verify();
  if (differences.length === 0) return `ClickHouse has exactly the ${events} events of PostgreSQL.`;
  const shown = differences.slice(0, MAX_SHOWN_DIFFERENCES).map(describe);
  if (differences.length > shown.length) shown.push('… and more.');
  throw new Error([...shown, 'Copy them again with: npm run replication -- rebuild'].join('\n'));
};

const rebuild: Command = async (context) => {
  const replicator = context.get(Replicator);
  const batches = context.get(BatchesRepository);
  let copy: string | null = null;
  while (copy === null)
    copy =
      (await whenFree(async () => {
        const started = await replicator.claimed((state) => replicator.rebuild(state));
        return started?.next_copy;
      })) ?? null;
  for (;;) {
    await whenFree(() => replicator.claimed((state) => replicator.copy(state, performance.now() + STEP_MS)));
    const { copy: complete, next_copy } = await batches.overview();
    if (complete === copy) return 'ClickHouse has a new copy of all events.';
    if (next_copy !== copy) return 'Another copy was begun meanwhile; the workers complete it.';
  }
};

/** Waits while another process copies. */
async function whenFree<Result>(work: () => Promise<Result | undefined>): Promise<Result | undefined> {
  const result = await work();
  if (result === undefined) await sleep(CLAIM_INTERVAL_MS);
  return result;
}

function describe({ application, day, stored, copied }: CopyDifference): string {
  const problem =
    stored === copied
      ? `${stored} events in both, but not the same`
      : `${stored} events in PostgreSQL, ${copied} in ClickHouse`;
  return `${application}, ${day}: ${problem}.`;
}

const COMMANDS = { verify, rebuild };

export const commandOf = (action: keyof typeof COMMANDS): Command => COMMANDS[action];
