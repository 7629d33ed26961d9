import { isDeepStrictEqual } from 'node:util';
import type { Event, TheEye } from '../../testing/the-eye.js';

export type SentEvent = Omit<Event, 'id'>;

/** Compares acknowledged events with stored rows. */
export interface Account {
  /** Events with a 202 response. */
  acknowledged: number;
  /** Rows of acknowledged events, and of events that were stored although their response did not arrive. */
  stored: number;
  /** Acknowledged events that are not stored. */
  lost: number;
  /** Duplicate rows of an event. */
  doubled: number;
  /** Rows that differ from the event that was sent, or belong to no sent event. */
  changed: number;
}

let ledgers = 0;

/** Records all sent and all acknowledged events. */
export class Ledger {
  /** Prefix of every session_id. Each event has a unique session_id, by which its row is found. */
  readonly prefix = `ledger-${process.pid}-${ledgers++}-`;
  private readonly events = new Map<string, SentEvent>();
  private readonly sessions = new Map<string, string>();

  /** Number of distinct acknowledged events. */
  get acknowledged(): number {
    return this.sessions.size;
  }

  /** Number of distinct sent events. */
  get sent(): number {
    return this.events.size;
  }

  /** @param event its session_id must start with `prefix` */
  noteSent(event: SentEvent): void {
    this.events.set(event.session_id, event);
  }

  noteAcknowledged(id: string, event: SentEvent): void {
    this.sessions.set(id, event.session_id);
  }

  /** Waits until the backlog is empty, then compares. `examples` are up to five changed rows. */
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

/** Describes every figure that violates a guarantee; empty if none does. */
export function brokenPromises({ acknowledged, lost, doubled, changed }: Account): string[] {
  return [
    ...(acknowledged === 0 ? ['nothing was accepted'] : []),
    ...(lost > 0 ? [`${lost} lost`] : []),
    ...(doubled > 0 ? [`${doubled} doubled`] : []),
    ...(changed > 0 ? [`${changed} changed`] : []),
  ];
}
