import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClickHouse } from '../platform/clickhouse/clickhouse.js';
import { Sql } from '../platform/database/sql.js';
import { MS_PER_DAY } from '../platform/time/timestamp.js';
import type { Query } from './batch-events.repository.js';
import { CopyRepository } from './copy.repository.js';
import { EVENTS } from './copy-table.js';
import type { ReplicationState } from './replication-state.js';
import { Replicator } from './replicator.js';

/** Any number that other users of the database are unlikely to lock: "EYER" in ASCII. One verifies at a time. */
const VERIFY_LOCK = 0x45594552;

const CLAIM_INTERVAL_MS = 20;
const CLAIM_TIMEOUT_MS = 60_000;

/** Shares the files of the table that answers questions. One process verifies at a time. */
const CLONE = `${EVENTS}_verify`;

/** Milliseconds for reading all events. */
const READ_TIMEOUT_MS = 3_600_000;

/** The events of an application on a day. */
interface DigestRow {
  readonly application: string;
  /** Days since 1970 in UTC. */
  readonly day: string;
  readonly events: string;
  /** A digest of all fields of all of them, in any order. */
  readonly digest: string;
}

/** An application and day whose events differ between the two. */
export interface CopyDifference {
  readonly application: string;
  /** For example `2026-11-29`. */
  readonly day: string;
  readonly stored: number;
  readonly copied: number;
}

export interface VerificationResult {
  /** Events in PostgreSQL. */
  readonly events: number;
  readonly differences: CopyDifference[];
}

/** The same text of an event in both, and 64 bits of its MD5. */
const POSTGRESQL_DIGESTS = `
  SELECT application, floor(extract(epoch FROM timestamp) / 86400)::bigint::text AS day, count(*)::text AS events,
    bit_xor(('x' || left(md5(concat_ws(E'\\x1f', id, (extract(epoch FROM timestamp) * 1000000)::bigint, application, category,
      name, session_id, data)), 16))::bit(64)::bigint)::text AS digest
  FROM events
  GROUP BY 1, 2`;

const CLICKHOUSE_DIGESTS = `
  SELECT application, toString(toInt64(floor(timestamp / 86400000000))) AS day, toString(count()) AS events,
    toString(groupBitXor(reinterpretAsInt64(reverse(substring(MD5(concatWithSeparator('\\x1f', toString(id), toString(timestamp),
      application, category, name, session_id, data_text)), 1, 8))))) AS digest
  FROM ${CLONE}
  GROUP BY application, day`;

/** Compares the events in PostgreSQL with their copy in ClickHouse, while events go on arriving. */
@Injectable()
export class Verification {
  constructor(
    private readonly replicator: Replicator,
    private readonly sql: Sql,
    private readonly copies: CopyRepository,
    private readonly clickhouse: ClickHouse,
  ) {}

  /**
   * Takes a snapshot of PostgreSQL, copies what the snapshot has in its log and nothing else, and takes a snapshot of
   * ClickHouse. The two must then be equal. Other processes copy again as soon as both are taken.
   * @throws Error while the first copy is being made
   */
  async verify(): Promise<VerificationResult> {
    return this.sql.withLockedSnapshot(VERIFY_LOCK, async (transaction) => {
      const query: Query = (text, parameters) => transaction.query(text, parameters);
      try {
        await this.untilClaimed(async (claimed) => {
          if (claimed.copy === null)
            throw new Error('The copy in ClickHouse is still being made. Verify it when it is complete.');
          // The first statement of the transaction takes the snapshot.
          const entries = (await query<{ seq: string }>('SELECT seq FROM replication_log')).map(
            ({ seq }) => seq,
          );
          let state = claimed;
          for (let before: string | undefined; state.batch !== before;) {
            before = state.batch;
            state = await this.replicator.copyEntries(state, entries, query);
          }
          await this.copies.clone(CLONE);
        });
        return await this.compare(query);
      } finally {
        // Within the lock: another process that verifies has a clone of the same name.
        await this.copies.drop(CLONE);
      }
    });
  }

  private async untilClaimed(work: (state: ReplicationState) => Promise<void>): Promise<void> {
    const done = (state: ReplicationState): Promise<true> => work(state).then(() => true);
    for (const endAt = Date.now() + CLAIM_TIMEOUT_MS; !(await this.replicator.claimed(done));) {
      if (Date.now() > endAt) throw new Error('Another process copies without a pause. Try again.');
      await sleep(CLAIM_INTERVAL_MS);
    }
  }

  private async compare(query: Query): Promise<VerificationResult> {
    const stored = byGroup(await query<DigestRow>(POSTGRESQL_DIGESTS));
    const copied = byGroup(
      await this.clickhouse.query<DigestRow>(
        CLICKHOUSE_DIGESTS,
        {},
        { timeoutMs: READ_TIMEOUT_MS, name: 'verify' },
      ),
    );
    const differences = [...new Set([...stored.keys(), ...copied.keys()])]
      .filter((group) => {
        const [one, other] = [stored.get(group), copied.get(group)];
        return one?.events !== other?.events || one?.digest !== other?.digest;
      })
      .map((group) => {
        const { application = '', day = '0' } = stored.get(group) ?? copied.get(group) ?? {};
        return {
          application,
          day: new Date(Number(day) * MS_PER_DAY).toISOString().slice(0, 10),
          stored: Number(stored.get(group)?.events ?? 0),
          copied: Number(copied.get(group)?.events ?? 0),
        };
      })
      .sort(
        (one, other) => one.day.localeCompare(other.day) || one.application.localeCompare(other.application),
      );
    const events = [...stored.values()].reduce((sum, row) => sum + Number(row.events), 0);
    return { events, differences };
  }
}

const byGroup = (rows: readonly DigestRow[]): Map<string, DigestRow> =>
  new Map(rows.map((row) => [JSON.stringify([row.application, row.day]), row]));
