import { Injectable, Optional } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { ClickHouseUnavailableError } from '../platform/clickhouse/clickhouse-errors.js';
import { measureEventLoop } from '../platform/telemetry/event-loop-delay.js';
import { Backlog } from '../queue/backlog.js';
import {
  BatchEventsRepository,
  type EventLines,
  type EventsAhead,
  type Query,
} from './batch-events.repository.js';
import { BatchesRepository } from './batches.repository.js';
import { CopyRepository, SCHEMA_DIGEST } from './copy.repository.js';
import { EVENTS, tableOf } from './copy-table.js';
import { Eraser } from './eraser.js';
import { pauseAfter } from './copy-pause.js';
import { replicationMetrics } from './replication.metrics.js';
import type { ReplicationOverview, ReplicationState } from './replication-state.js';
import { MAX_BATCH_EVENTS } from './taken-entries.js';
import { withTypedForms } from './typed-form.js';

/** Milliseconds after which a run ends, so that another process can take the work. */
const MAX_RUN_MS = 2000;

/** Milliseconds without anything to copy after which the log is read half as often. */
const IDLE_AFTER_MS = 10_000;
const IDLE_INTERVAL_MS = 2000;

/** A batch with as many events is probably followed by another. */
const READ_AHEAD_EVENTS = MAX_BATCH_EVENTS / 2;

/** Copied entries whose room is given back at once. */
const VACUUMED_ENTRIES = 2000;

/** Another installation uses the same database of ClickHouse. */
export class ForeignCopyError extends Error {
  constructor(database: string) {
    super(
      `The database "${database}" of ClickHouse holds the events of another installation: name another database in CLICKHOUSE_URL, or drop its table ${EVENTS}`,
    );
  }
}

/**
 * Copies stored and removed events from PostgreSQL to ClickHouse, exactly once and in the order of their changes.
 *
 * A batch is decided in PostgreSQL, then done in ClickHouse, then ended in PostgreSQL. After any failure it is done again, by
 * whichever process comes first: the token of the insert, and the condition of the removal, make that harmless. So the claim
 * only keeps processes from doing the same work twice.
 */
@Injectable()
export class Replicator {
  private readonly owner = randomUUID();
  /** The copies that ClickHouse had when this process last looked. */
  private seen: string | undefined;
  /** The batch that this process has begun itself, and not failed at. */
  private fresh: string | undefined;
  private entriesSinceVacuum = 0;
  private eventsOfRun = 0;
  /** When there was something to copy, in milliseconds of performance.now(). */
  private dueAt = -Infinity;
  /** What is read while ClickHouse inserts the batch before. */
  private ahead: Promise<EventsAhead | undefined> | undefined;

  constructor(
    private readonly batches: BatchesRepository,
    private readonly events: BatchEventsRepository,
    private readonly copies: CopyRepository,
    private readonly eraser: Eraser,
    @Optional() private readonly backlog?: Backlog,
  ) {}

  /**
   * Copies what there is, for MAX_RUN_MS at most.
   * @returns milliseconds until the next run; undefined for the interval of the periodic task
   * @throws DatabaseUnavailableError
   */
  async run(): Promise<number | undefined> {
    const overview = await this.batches.overview();
    if (!this.copies.exists) return this.forget(overview);
    const startedAt = performance.now();
    if (!this.isDue(overview)) return startedAt - this.dueAt > IDLE_AFTER_MS ? IDLE_INTERVAL_MS : undefined;
    this.dueAt = startedAt;
    this.eventsOfRun = 0;
    measureEventLoop();
    const isDone = await this.claimed((state) => this.copy(state, startedAt + MAX_RUN_MS)).catch(whenAway);
    if (isDone !== false) await this.vacuum();
    const took = performance.now() - startedAt;
    if (isDone === undefined) return undefined;
    const isStoring = this.backlog !== undefined && this.backlog.items > 0;
    return pauseAfter({ took, isDone, events: this.eventsOfRun }, isStoring);
  }

  /**
   * Runs `work` while no other process copies.
   * @returns undefined if another process does
   */
  async claimed<Result>(work: (state: ReplicationState) => Promise<Result>): Promise<Result | undefined> {
    const state = await this.batches.claim(this.owner);
    if (!state) return undefined;
    this.ahead = undefined;
    try {
      return await work(await this.prepare(state));
    } catch (error) {
      // Whatever failed: the batch is repeated, and the tables may be gone.
      this.fresh = undefined;
      this.seen = undefined;
      throw error;
    } finally {
      await this.batches.release(this.owner).catch(() => undefined);
    }
  }

  /** @returns whether everything was copied before `endAt` */
  async copy(from: ReplicationState, endAt: number): Promise<boolean> {
    for (let state = from; ;) {
      const before = state.batch;
      state = await this.copyEntries(state);
      state = await this.fill(state);
      if (state.batch === before) return true;
      if (performance.now() > endAt) return false;
    }
  }

  /**
   * Copies one batch of entries of the log, if there are any.
   * @param only these entries, instead of all
   * @param query reads the events
   */
  async copyEntries(
    state: ReplicationState,
    only: readonly string[] | null = null,
    query?: Query,
  ): Promise<ReplicationState> {
    const ahead = only === null ? await this.ahead : undefined;
    this.ahead = undefined;
    const begin = (
      entries: readonly string[] | null,
      number?: string,
    ): Promise<ReplicationState | undefined> =>
      this.batches.beginEntries(state, this.owner, randomUUID(), entries, number);
    const begun = (ahead && (await begin(ahead.seqs, ahead.batch))) ?? (await begin(only));
    if (!begun) return state;
    this.fresh = begun.batch;
    this.entriesSinceVacuum += begun.batch_seqs?.length ?? 0;
    return this.perform(begun, query, ahead);
  }

  /** Does the batch in flight, and ends it. */
  async perform(state: ReplicationState, query?: Query, ahead?: EventsAhead): Promise<ReplicationState> {
    switch (state.batch_kind) {
      case null:
        return state;
      case 'stored': {
        const lines =
          ahead && isOf(ahead, state) ? ahead.lines : await this.events.storedEvents(state, query);
        if (query === undefined && lines.events >= READ_AHEAD_EVENTS && state.next_copy === null)
          this.ahead = this.events.readAhead(state).catch(() => undefined);
        await this.insert(state, lines);
        break;
      }
      case 'filled':
        await this.insert(state, await this.events.filledEvents(state));
        break;
      case 'removed':
        await this.remove(state, query);
        break;
      case 'emptied':
        await this.empty(state);
        break;
      case 'completed':
        if (state.batch_copy !== null) await this.copies.activate(state.source, state.batch_copy);
    }
    await this.batches.finish(state, SCHEMA_DIGEST);
    const { batch_copy } = state;
    const ended = { ...state, batch_kind: null, batch_seqs: null, batch_copy: null };
    if (batch_copy === null) return ended;
    const activated = {
      ...ended,
      copy: batch_copy,
      copy_schema: SCHEMA_DIGEST,
      next_copy: null,
      next_schema: null,
    };
    this.seen = fingerprint(activated);
    return activated;
  }

  /** Starts another copy, which takes the place of the present one when it is complete. */
  async rebuild(state: ReplicationState, isLost = false): Promise<ReplicationState> {
    const started = await this.batches.startCopy(state, randomUUID(), SCHEMA_DIGEST, isLost);
    if (started?.next_copy == null) throw new Error('Another process has begun a batch.');
    await this.copies.create(tableOf(started.next_copy), { source: started.source, copy: started.next_copy });
    await this.copies.dropLeftovers(started.source, started.next_copy);
    this.seen = fingerprint(started);
    return started;
  }

  private isDue(state: ReplicationOverview): boolean {
    return (
      state.has_entries ||
      state.batch_kind !== null ||
      state.next_copy !== null ||
      state.copy_schema !== SCHEMA_DIGEST ||
      this.seen !== fingerprint(state)
    );
  }

  /** Without a ClickHouse nobody reads the log; a ClickHouse that comes later gets all events. */
  private async forget(overview: ReplicationOverview): Promise<number | undefined> {
    if (!overview.has_entries) return undefined;
    this.entriesSinceVacuum += await this.batches.forget();
    await this.vacuum();
    return undefined;
  }

  private async fill(state: ReplicationState): Promise<ReplicationState> {
    if (state.next_copy === null) return state;
    const begun = await this.batches.beginFill(state, this.owner);
    if (!begun) return state;
    this.fresh = begun.batch;
    return this.perform(begun);
  }

  /** Makes sure that ClickHouse has the copies of the state, and ends the batch in flight. */
  private async prepare(claimed: ReplicationState): Promise<ReplicationState> {
    let state = claimed;
    if (this.seen !== fingerprint(state)) state = await this.check(state);
    state = await this.perform(state);
    const isOutdated =
      state.next_copy === null ? state.copy_schema !== SCHEMA_DIGEST : state.next_schema !== SCHEMA_DIGEST;
    return isOutdated ? this.rebuild(state) : state;
  }

  private async check(state: ReplicationState): Promise<ReplicationState> {
    const { source, copy, next_copy, batch_copy } = state;
    const tables = await this.copies.tables();
    const hasEvents = tables.has(EVENTS);
    if (hasEvents && tables.get(EVENTS)?.source !== source) throw new ForeignCopyError(this.copies.database);
    // Questions find a table from the start.
    if (!hasEvents && batch_copy === null) await this.copies.create(EVENTS, { source });
    const current = tables.get(EVENTS)?.copy;
    const isActivating = batch_copy !== null && (current === batch_copy || !hasEvents);
    const isLost = copy !== null && current !== copy && !isActivating;
    const isNextLost =
      next_copy !== null && tables.get(tableOf(next_copy))?.copy !== next_copy && current !== next_copy;
    if (isLost || isNextLost) return this.rebuild(state, isLost);
    this.seen = fingerprint(state);
    return state;
  }

  private async insert(state: ReplicationState, { current, next, events }: EventLines): Promise<void> {
    const { copy, next_copy, batch } = state;
    const isRepeated = batch !== this.fresh;
    if (copy !== null && current !== null)
      await this.copies.insert(EVENTS, copy, batch, withTypedForms(current), isRepeated);
    if (next_copy !== null && next !== null)
      await this.copies.insert(tableOf(next_copy), next_copy, batch, withTypedForms(next), isRepeated);
    this.eventsOfRun += events;
    replicationMetrics.copied(events);
  }

  private async remove(state: ReplicationState, query: Query | undefined): Promise<void> {
    const { copy, next_copy, batch } = state;
    const keys = await this.events.removedKeys(state, query);
    if (copy !== null) {
      await this.eraser.makeWay();
      await this.copies.remove(EVENTS, batch, keys);
    }
    if (next_copy !== null) await this.copies.remove(tableOf(next_copy), batch, keys);
    replicationMetrics.removed(keys.length);
  }

  /** An empty copy takes the place of the others, so that nothing is left on the disk. */
  private async empty({ source, batch_copy: copy }: ReplicationState): Promise<void> {
    if (copy === null) return;
    const current = (await this.copies.tables()).get(EVENTS)?.copy;
    if (current !== copy) await this.copies.create(tableOf(copy), { source, copy });
    await this.copies.activate(source, copy);
  }

  private async vacuum(): Promise<void> {
    if (this.entriesSinceVacuum < VACUUMED_ENTRIES) return;
    this.entriesSinceVacuum = 0;
    await this.batches.vacuum();
  }
}

/** While ClickHouse is away or starts, the log waits. The client reports the outage, and the lag says how long it lasts. */
function whenAway(error: unknown): undefined {
  if (!(error instanceof ClickHouseUnavailableError)) throw error;
}

/** Whether events were read for a batch. While another copy is being made, they would lack those that belong to that one. */
const isOf = ({ batch, seqs }: EventsAhead, state: ReplicationState): boolean =>
  batch === state.batch && state.next_copy === null && isDeepStrictEqual(seqs, state.batch_seqs);

const fingerprint = ({ copy, next_copy }: ReplicationState): string => `${copy} ${next_copy}`;
