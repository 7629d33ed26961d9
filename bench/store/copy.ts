import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from } from 'pg-copy-streams';
import { CreateEventDto } from '../../src/events/dto/create-event.dto.js';
import { createEvent, type ParsedEvent } from '../../src/platform/model/event.js';
import { DEFAULT_APPLICATION } from '../../src/auth/caller.js';
import { makeEvent } from '../support/events.js';

/** The number of concurrent statements of the worker. */
export const CONNECTIONS = 2;

/** Events that share a request id. */
const EVENTS_PER_REQUEST = 500;

/** 5,000 events, so that beginning and committing cost little. */
const REQUESTS_PER_STATEMENT = 10;

const COLUMNS = 'id, application, session_id, category, name, data, timestamp, data_sha256';

/** Input of COPY, in chunks. */
export type Rows = string[];

/** Rows like those that The Eye stores, split by connection. */
export function makeRows(count: number): Rows[] {
  return Array.from({ length: CONNECTIONS }, () => {
    const run = randomUUID();
    return Array.from({ length: count / CONNECTIONS / EVENTS_PER_REQUEST }, (_, request) =>
      Array.from({ length: EVENTS_PER_REQUEST }, (_, index) =>
        row(makeEvent(index, `${run}-${request}`)),
      ).join(''),
    );
  });
}

/** The limit set by PostgreSQL: COPY into the same table with the same indexes. */
export const copy = (databaseUrl: string, parts: Rows[]): Promise<void> =>
  send(databaseUrl, parts, (client, rows) => copyInto(client, 'events', rows));

/** The limit of storing an event once: the same rows by COPY into a temporary table, and from there those that are new. */
export const copyOnce = (databaseUrl: string, parts: Rows[]): Promise<void> =>
  send(databaseUrl, parts, async (client, rows) => {
    await client.query('CREATE TEMPORARY TABLE staged (LIKE events) ON COMMIT DELETE ROWS');
    for (let at = 0; at < rows.length; at += REQUESTS_PER_STATEMENT) {
      await client.query('BEGIN');
      await copyInto(client, 'staged', rows.slice(at, at + REQUESTS_PER_STATEMENT));
      await client.query(`INSERT INTO events SELECT * FROM staged ORDER BY id ON CONFLICT DO NOTHING`);
      await client.query('COMMIT');
    }
  });

async function send(
  databaseUrl: string,
  parts: Rows[],
  store: (client: pg.Client, rows: Rows) => Promise<void>,
): Promise<void> {
  await Promise.all(
    parts.map(async (rows) => {
      const client = new pg.Client({ connectionString: databaseUrl });
      await client.connect();
      try {
        // Disables triggers: the replication log is part of The Eye, not of the limit.
        await client.query('SET session_replication_role = replica');
        await store(client, rows);
      } finally {
        await client.end();
      }
    }),
  );
}

const copyInto = (client: pg.Client, name: string, rows: Rows): Promise<void> =>
  pipeline(Readable.from(rows), client.query(from(`COPY ${name} (${COLUMNS}) FROM STDIN`)));

function row(sent: Record<string, unknown>): string {
  const { id, application, session_id, category, name, data, timestamp, data_sha256 } = createEvent(
    DEFAULT_APPLICATION,
    CreateEventDto.from(sent) as ParsedEvent,
  );
  const json = JSON.stringify(data);
  return `${[id, application, session_id, category, name, json, timestamp, `\\\\x${data_sha256}`].join('\t')}\n`;
}
