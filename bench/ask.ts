import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TheEye } from '../test/support/the-eye.js';
import { onTheEye } from './on-the-eye.js';
import { percentile, printTable } from './table.js';

/** Rows of one INSERT. */
const CHUNK = 100_000;
const ASKED = 200;
/** Cursor pages followed before the measured one. */
const DEPTH = 1000;

/** A year of events, evenly spread; sessions of twenty events; `rare` has not occurred since its first day. */
const FILL = `
  INSERT INTO events (id, application, session_id, category, name, data, timestamp, data_sha256)
  SELECT
    (lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0') || '8' || substr(digest, 1, 3) || '8' ||
      substr(digest, 4, 15))::uuid,
    'default',
    'session-' || event / 20,
    CASE WHEN event < 1000 THEN 'rare' ELSE 'category-' || event * 7919::bigint % 20 END,
    'name-' || event / 20 % 200,
    jsonb_build_object('host', 'www.example.com', 'path', '/products/' || event % 50, 'price', 19.99),
    at,
    sha256(digest::bytea)
  FROM generate_series($1::int, $2::int) AS event,
    LATERAL (SELECT timestamptz '2024-01-01Z' + interval '1 second' * (event * 31622400.0::float8 / $3::int) AS at,
      md5(event::text) AS digest) AS made`;

type Question = (events: number) => string;

/** The day-wide ranges hold more events the larger the table is; a page of them must cost the same all the same. */
const QUESTIONS: Record<string, Question> = {
  'a session': (events) => `/events/?session_id=session-${random(events / 20)}`,
  'a frequent category': () => `/events/?category=category-${random(20)}`,
  'a category that has not occurred for a year': () => '/events/?category=rare',
  'category and name': () => `/events/?category=category-${random(20)}&name=name-${random(200)}`,
  'a time range': () => {
    const [from, to] = [day(), day()].toSorted();
    return `/events/?timestamp_after=${from}&timestamp_before=${to}`;
  },
  'a day': () => {
    const one = day();
    return `/events/?timestamp_after=${one}&timestamp_before=${one}`;
  },
  'a category on a day': () => {
    const one = day();
    return `/events/?category=category-${random(20)}&timestamp_after=${one}&timestamp_before=${one}`;
  },
  'the newest sessions': () => '/sessions/',
  'sessions of a frequent category': () => `/sessions/?category=category-${random(20)}`,
  'sessions of a category that has not occurred for a year': () => '/sessions/?category=rare',
  'sessions that ended on a day': () => {
    const one = day();
    return `/sessions/?timestamp_after=${one}&timestamp_before=${one}`;
  },
  'what happened in a session': (events) => `/sessions/session-${random(events / 20)}/`,
  'the newest page': () => '/events/',
  'the newest page, of 1,000': () => '/events/?page_size=1000',
};

const random = (below: number): number => Math.floor(Math.random() * below);
const day = (): string => new Date(Date.UTC(2024, 0, 1 + random(366))).toISOString().slice(0, 10);

/** What a page costs at a small and at a large table. */
export async function benchAsk(quick: boolean): Promise<void> {
  const sizes = quick ? [10_000, 500_000] : [10_000, 100_000, 1_000_000, 10_000_000];
  await onTheEye(async (eye) => {
    const times = new Map<string, string[]>();
    let plans = '';
    for (const size of sizes) {
      await fill(eye, size);
      console.error(`asking ${size.toLocaleString('en')} events`);
      for (const [question, milliseconds] of await askAll(eye, size)) {
        const cell = `${percentile(milliseconds, 0.5).toFixed(1)} / ${percentile(milliseconds, 0.99).toFixed(1)}`;
        times.set(question, [...(times.get(question) ?? []), cell]);
      }
      plans = await explain(eye, size);
    }
    console.log(`Milliseconds of an answer, p50 / p99 of ${ASKED}, one at a time over HTTP:\n`);
    printTable(
      ['page', ...sizes.map((size) => `${size.toLocaleString('en')} events`)],
      [...times].map((row) => row.flat()),
    );
    console.log(
      `\nPlans at ${sizes.at(-1)?.toLocaleString('en')} events, as executed (auto_explain):\n\n${plans}`,
    );
  });
}

async function fill(eye: TheEye, events: number): Promise<void> {
  await eye.sql('TRUNCATE events');
  // What is kept beside the events is made of all of them at once, which takes less time.
  await eye.sql('ALTER TABLE events DISABLE TRIGGER USER');
  for (let start = 0; start < events; start += CHUNK) {
    const end = Math.min(start + CHUNK, events);
    console.error(`filling: ${end.toLocaleString('en')} of ${events.toLocaleString('en')}`);
    await eye.sql(FILL, [start, end - 1, events]);
  }
  console.error('counting and gathering sessions');
  await eye.sql('ALTER TABLE events ENABLE TRIGGER USER');
  await eye.sql('SELECT rebuild_event_counts()');
  await eye.sql('SELECT rebuild_sessions()');
  await eye.sql('VACUUM ANALYZE');
  await eye.sql('CHECKPOINT');
}

async function askAll(eye: TheEye, events: number): Promise<Map<string, number[]>> {
  const times = new Map<string, number[]>();
  const took = async (path: string): Promise<number> => {
    const { status, took, body } = await eye.get(path);
    if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
    return took;
  };
  const deep = await pageByCursor(eye, Math.min(DEPTH, events / 20));
  const { body } = await eye.get('/events/?page_size=1000');
  const ids = (body.results as { id: string }[]).map(({ id }) => id);
  const questions = {
    ...QUESTIONS,
    [`page ${DEPTH.toLocaleString('en')}, by cursor`]: () => deep,
    'one event by its id': () => `/events/${ids[random(ids.length)]}/`,
  };
  for (const [question, path] of Object.entries(questions)) {
    for (let warm = 0; warm < 10; warm++) await took(path(events));
    const all = [];
    for (let asked = 0; asked < ASKED; asked++) all.push(await took(path(events)));
    times.set(question, all);
  }
  return times;
}

async function pageByCursor(eye: TheEye, depth: number): Promise<string> {
  let path = '/events/';
  for (let page = 1; page < depth; page++) path = (await eye.get(path)).body.next;
  return path;
}

/** The plans of the very statements that the API runs, out of the log of PostgreSQL. */
async function explain(eye: TheEye, events: number): Promise<string> {
  const settings = {
    session_preload_libraries: 'auto_explain',
    'auto_explain.log_min_duration': '0',
    'auto_explain.log_analyze': 'on',
    'auto_explain.log_buffers': 'on',
    'auto_explain.log_timing': 'off',
  };
  // Of the library's own settings PostgreSQL learns with the library.
  await eye.sql(`LOAD 'auto_explain'`);
  for (const [name, value] of Object.entries(settings)) {
    await eye.sql(`ALTER DATABASE the_eye SET ${name} = '${value}'`);
  }
  await eye.end();
  await eye.start();
  const log = join(eye.dataDir, 'keeper.log');
  const plans: string[] = [];
  for (const [question, path] of Object.entries(QUESTIONS)) {
    const before = (await readFile(log)).length;
    await eye.get(path(events));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const text = (await readFile(log)).subarray(before).toString();
    const lines = text.split('\n').filter((line) => /Scan|Limit|Sort|Filter|Buffers|Index Cond/.test(line));
    plans.push(
      `${question}\n${lines.map((line) => line.replace(/^\S+ PostgreSQL: (\d+ )?/, '')).join('\n')}`,
    );
  }
  return plans.join('\n\n');
}
