import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import type { Random } from '../../testing/random.js';

/** Events that are stored, removed and stored again. */
const EVENTS = 2000;

/** ClickHouse changes all parts for a removal, on a machine that has much else to do. */
const PAUSE_MS = 400;
const STATEMENT_TIMEOUT_MS = 5000;

/** SQL of the events with these numbers. The same number is always the same event. */
const STORE = `
  INSERT INTO events (id, application, session_id, category, name, data, timestamp, data_sha256)
  SELECT md5('churn' || n)::uuid, 'churn', 'churn-' || n % 50, 'category', 'name', jsonb_build_object('n', n),
    '2023-01-01T00:00:00Z'::timestamptz + n * interval '1 hour', sha256(n::text::bytea)
  FROM unnest($1::int[]) AS n
  ORDER BY n
  ON CONFLICT DO NOTHING`;

const REMOVE = `DELETE FROM events WHERE application = 'churn' AND id = ANY (SELECT md5('churn' || n)::uuid FROM unnest($1::int[]) AS n)`;

/** Stores and removes the same events again and again in PostgreSQL, whatever happens to it, until it is stopped. */
export class Churn {
  /** Statements that removed events, and those that PostgreSQL did not confirm. */
  removals = 0;
  failures = 0;
  private hasStored = false;
  private stopped = false;
  private readonly running: Promise<void>;

  /** @param url asked before each connection, because a failover changes it */
  constructor(
    private readonly url: () => string,
    private readonly random: Random,
  ) {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      const client = new pg.Client({
        connectionString: this.url(),
        query_timeout: STATEMENT_TIMEOUT_MS,
        connectionTimeoutMillis: STATEMENT_TIMEOUT_MS,
      });
      client.on('error', () => undefined);
      try {
        await client.connect();
        while (!this.stopped) await this.change(client);
      } catch {
        this.failures++;
        await wait(PAUSE_MS);
      } finally {
        // The end of a connection to a frozen server is not confirmed.
        void client.end().catch(() => undefined);
      }
    }
  }

  private async change(client: pg.Client): Promise<void> {
    const { random } = this;
    const numbers = Array.from({ length: Math.ceil(random.between(1, 200)) }, () =>
      Math.floor(random.between(0, EVENTS)),
    );
    // However short the run: first some are stored, then some removed.
    const isRemoval = this.removals === 0 ? this.hasStored : random.chance(0.3);
    await client.query(isRemoval ? REMOVE : STORE, [numbers]);
    if (isRemoval) this.removals++;
    else this.hasStored = true;
    await wait(random.between(0, 2 * PAUSE_MS));
  }
}
