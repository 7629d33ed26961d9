import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from } from 'pg-copy-streams';
import { CreateEventDto, type ValidEvent } from '../../src/events/dto/create-event.dto.js';
import { toNewEvent } from '../../src/events/event/new-event.js';
import { DEFAULT_APPLICATION } from '../../src/http/caller.js';
import { event } from '../events.js';

const CONNECTIONS = 2;
const ROWS = 250_000;
const REQUEST = 500;

/** The limit of PostgreSQL: COPY of rows like those of the other contenders into the very table. Rows a second. */
export async function copy(databaseUrl: string): Promise<number> {
  const texts = Array.from({ length: CONNECTIONS }, rows);
  const began = performance.now();
  await Promise.all(texts.map((text) => send(databaseUrl, text)));
  return (CONNECTIONS * ROWS) / ((performance.now() - began) / 1000);
}

async function send(databaseUrl: string, text: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const sql =
      'COPY events (id, application, session_id, category, name, data, timestamp, data_sha256) FROM STDIN';
    await pipeline(Readable.from(text), client.query(from(sql)));
  } finally {
    await client.end();
  }
}

/** COPY's text format, a piece for each request's worth of events, made before the clock starts. */
function rows(): string[] {
  return Array.from({ length: ROWS / REQUEST }, () => {
    const request = randomUUID();
    return Array.from({ length: REQUEST }, (_, index) => row(event(index, request))).join('');
  });
}

function row(sent: Record<string, unknown>): string {
  const { id, application, session_id, category, name, data, timestamp, data_sha256 } = toNewEvent(
    DEFAULT_APPLICATION,
    CreateEventDto.from(sent) as ValidEvent,
  );
  const json = JSON.stringify(data);
  return `${[id, application, session_id, category, name, json, timestamp, `\\\\x${data_sha256}`].join('\t')}\n`;
}
