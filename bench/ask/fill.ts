import { ClickHouseError } from '@clickhouse/client';
import { setTimeout as wait } from 'node:timers/promises';
import { EVENTS } from '../../src/replication/copy-table.js';
import { logProgress } from '../support/progress.js';
import type { Engine } from './engine.js';

/** The events of every size lie in this year, so that a larger table is denser. */
export const YEAR_START = Date.UTC(2025, 0, 1);
export const DAYS = 365;

/** Events of a session on average: from 1 to 23. */
const EVENTS_PER_SESSION = 12;

/** Values of `data.product`. A fifth of the events have one, so that each is in one event of ten thousand. */
export const PRODUCTS = 2000;

/** Sessions per statement, which inserts one part: about as many events as the copier inserts at once. */
const CHUNK_SIZE = 1600;

/** Merges take memory too, and an insert may find too little left. */
const RETRY_DELAY_MS = 1000;
const MEMORY_LIMIT_EXCEEDED = '241';

/** Of a random number from 0 to 999 that an event has, those below belong to each type, if no type before has them. */
const TYPES: readonly (readonly [below: number, category: string, name: string, data: string])[] = [
  [560, 'page interaction', 'pageview', `'{"host": "', host, '", "path": "/', aisle, '/', product, '"}'`],
  [640, 'search', 'submit', `'{"hits": ', toString(h % 60), ', "text": "', aisle, '"}'`],
  [740, 'click', 'photo', `'{"product": "', product, '"}'`],
  [860, 'click', 'add to basket', `'{"product": "', product, '", "quantity": ', toString(h % 3 + 1), '}'`],
  [900, 'checkout', 'begin', `'{"items": ', toString(h % 3 + 1), ', "amount": ', amount, '}'`],
  [930, 'form interaction', 'submit', `'{"form": "address"}'`],
  [945, 'form interaction', 'error', `'{"form": "address", "field": "', field, '"}'`],
  [
    985,
    'checkout',
    'pay',
    `'{"items": ["', product, '"], "amount": ', amount, ', "method": "', method, '", "currency": "EUR"}'`,
  ],
  [1000, 'session', 'logout', `'{"team": "', field, '"}'`],
];

const ofType = (value: (type: (typeof TYPES)[number]) => string): string =>
  `multiIf(${TYPES.slice(0, -1)
    .map((type) => `r < ${type[0]}, ${value(type)}`)
    .join(', ')}, ${value(TYPES.at(-1) as (typeof TYPES)[number])})`;

const oneOf = (texts: readonly string[], number: string): string =>
  `[${texts.map((text) => `'${text}'`).join(', ')}][${number} % ${texts.length} + 1]`;

/** Events like those of the demo, as the copier would have inserted them. Everything follows from the number of the session. */
const fillSql = (first: number, sessions: number, allSessions: number): string => `
  INSERT INTO ${EVENTS} (id, timestamp, application, category, name, session_id, data_text, batch)
  WITH
    ${oneOf(['garden', 'kitchen', 'outdoor', 'books', 'toys', 'lighting'], 'h')} AS aisle,
    concat('product-', toString(intDiv(h, 6) % ${PRODUCTS})) AS product,
    ${oneOf(['postcode', 'street', 'phone'], 'h')} AS field,
    ${oneOf(['card', 'card', 'transfer', 'wallet'], 'h')} AS method,
    toString((h % 17100 + 900) / 100) AS amount,
    concat(leftPad(lower(hex(toUInt64(intDiv(at, 1000)))), 12, '0'), '8', substring(digest, 1, 3), '8', substring(digest, 4, 15)) AS digits
  SELECT
    toUUID(concat(substring(digits, 1, 8), '-', substring(digits, 9, 4), '-', substring(digits, 13, 4), '-', substring(digits, 17, 4), '-', substring(digits, 21))),
    at, application, ${ofType(([, category]) => `'${category}'`)}, ${ofType(([, , name]) => `'${name}'`)}, visit,
    concat(${ofType(([, , , data]) => `concat(${data})`)}, ''),
    1
  FROM (
    SELECT
      cityHash64(session, k) AS h,
      if(k = 0, 0, h % 997 * 1000 / 997) AS r,
      lower(hex(sipHash128(session, k))) AS digest,
      toInt64(start + k * gap * 1000000 + h % (gap * 1000000)) AS at,
      multiIf(hs % 100 < 55, 'demo-shop', hs % 100 < 85, 'demo-stays', 'demo-desk') AS application,
      concat(substring(application, 6), '.example') AS host,
      lower(hex(sipHash128(session))) AS visit
    FROM (
      SELECT
        number AS session,
        cityHash64(number) AS hs,
        5 + intDiv(hs, 100) % 55 AS gap,
        ${YEAR_START}000 + number * intDiv(${DAYS * 86_400}000000, ${allSessions}) AS start,
        arrayJoin(range(1 + intDiv(hs, 10000) % ${2 * EVENTS_PER_SESSION - 1})) AS k
      FROM numbers(${first}, ${sessions})
    )
  )
  SETTINGS min_insert_block_size_rows = 1000000, max_threads = 1`;

/** Fills the empty table with about so many events, and waits until ClickHouse has merged the parts that it wants to merge. */
export async function fill(engine: Engine, events: number): Promise<void> {
  const sessions = Math.ceil(events / EVENTS_PER_SESSION);
  for (let first = 0; first < sessions; first += CHUNK_SIZE) {
    if ((first / CHUNK_SIZE) % 100 === 0)
      logProgress(`ask: filling from event ${(first * EVENTS_PER_SESSION).toLocaleString('en')}`);
    await insert(engine, fillSql(first, Math.min(CHUNK_SIZE, sessions - first), sessions));
  }
  logProgress('ask: waiting for merges');
  await engine.merged();
}

/** Runs a statement that inserts one part, which is whole or not there. */
async function insert(engine: Engine, sql: string): Promise<void> {
  for (;;) {
    try {
      await engine.run(sql);
      return;
    } catch (error) {
      if (!(error instanceof ClickHouseError) || error.code !== MEMORY_LIMIT_EXCEEDED) throw error;
      await wait(RETRY_DELAY_MS);
    }
  }
}
