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

/** As many as the worker has statements under way. */
export const CONNECTIONS = 2;

/** Events with one request's id. */
const EVENTS_PER_REQUEST = 500;

const COLUMNS = 'id, application, session_id, category, name, data, timestamp, data_sha256';

/** Text of COPY, in pieces. */
export type Rows = string[];

/** Rows like those that The Eye stores, a part for each connection. */
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

/** The limit of PostgreSQL: COPY into the very table, with its indexes. */
export async function copy(databaseUrl: string, parts: Rows[]): Promise<void> {
  await Promise.all(parts.map((rows) => send(databaseUrl, rows)));
}

async function send(databaseUrl: string, rows: Rows): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    // What is kept of counts and sessions is The Eye's own work.
    await client.query('SET session_replication_role = replica');
    await pipeline(Readable.from(rows), client.query(from(`COPY events (${COLUMNS}) FROM STDIN`)));
  } finally {
    await client.end();
  }
}

function row(sent: Record<string, unknown>): string {
  const { id, application, session_id, category, name, data, timestamp, data_sha256 } = createEvent(
    DEFAULT_APPLICATION,
    CreateEventDto.from(sent) as ParsedEvent,
  );
  const json = JSON.stringify(data);
  return `${[id, application, session_id, category, name, json, timestamp, `\\\\x${data_sha256}`].join('\t')}\n`;
}
