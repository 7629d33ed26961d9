import { isDeepStrictEqual } from 'node:util';
import type { Event, TheEye } from '../../testing/the-eye.js';

export type SentEvent = Omit<Event, 'id'>;

/** What was promised, held against what is stored. */
export interface Account {
  /** Events that were answered 202. */
  acknowledged: number;
  /** Rows that hold them, and what was kept although its answer did not arrive. */
  stored: number;
  /** Acknowledged, and not stored. */
  lost: number;
  /** Rows of an event that has another one. */
  doubled: number;
  /** Rows that do not hold what was sent, or hold what nobody sent. */
  changed: number;
}

let ledgers = 0;

/** Remembers every event that was sent and every one that was acknowledged. */
export class Ledger {
  /** Begins the session of each event. Each has a session of its own, by which it is found again. */
  readonly prefix = `ledger-${process.pid}-${ledgers++}-`;
  private readonly events = new Map<string, SentEvent>();
  private readonly sessions = new Map<string, string>();

  /** Events that were acknowledged, each counted once. */
  get acknowledged(): number {
    return this.sessions.size;
  }

  /** Events that were sent, each counted once. */
  get sent(): number {
    return this.events.size;
  }

  /** @param event with a session that begins with `prefix` */
  noteSent(event: SentEvent): void {
    this.events.set(event.session_id, event);
  }

  noteAcknowledged(id: string, event: SentEvent): void {
    this.sessions.set(id, event.session_id);
  }

  /** Waits for the end of the backlog, and compares; with some of the rows that are not as they were sent. */
  async account(eye: TheEye): Promise<Account & { examples: Event[] }> {
    await eye.drained();
    const rows = await eye.sql<Event>(
      `SELECT id, session_id, category, name, data,
         to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS timestamp
       FROM events WHERE session_id LIKE $1`,
      [`${this.prefix}%`],
    );
    const bySession = new Map(rows.map((row) => [row.session_id, row]));
    const lost = [...this.sessions].filter(([id, session]) => bySession.get(session)?.id !== id);
    const changed = rows.filter(
      (row) => !isDeepStrictEqual(row, { id: row.id, ...this.events.get(row.session_id) }),
    );
    return {
      acknowledged: this.acknowledged,
      stored: rows.length,
      lost: lost.length,
      doubled: rows.length - bySession.size,
      changed: changed.length,
      examples: changed.slice(0, 5),
    };
  }
}

/** Which of these must be 0 and are not, in words. */
export function brokenPromises({ acknowledged, lost, doubled, changed }: Account): string[] {
  return [
    ...(acknowledged === 0 ? ['nothing was accepted'] : []),
    ...(lost > 0 ? [`${lost} lost`] : []),
    ...(doubled > 0 ? [`${doubled} doubled`] : []),
    ...(changed > 0 ? [`${changed} changed`] : []),
  ];
}
