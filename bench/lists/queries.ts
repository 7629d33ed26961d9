import type { TheEye } from '../../testing/the-eye.js';
import {
  CATEGORIES,
  DAYS,
  RARE_CATEGORY,
  RARE_APPLICATION,
  EVENTS_PER_SESSION,
  sessionId,
  YEAR,
} from './fill.js';

/** Functions that return a request path with random values, by the name of the query. */
export type Queries = Map<string, () => string>;

/** A page of ten, or a larger one. */
export type QueryKind = 'page' | 'large page';

export const kindOf = (path: string): QueryKind => (path.includes('page_size=') ? 'large page' : 'page');

/** Number of cursor pages to follow before the measured ones. */
const CURSOR_DEPTH = 1000;

/** Number of pages and ids to choose from. */
const SAMPLE_SIZE = 50;

/** Lists that PostgreSQL answers. A time range contains more events the larger the table is, and never none. */
export async function makeQueries(eye: TheEye, events: number): Promise<Queries> {
  const ids = await sampleIds(eye);
  const deep = await pagesAtDepth(eye);
  const second = await nextPage(eye, eventsPath({ application: RARE_APPLICATION }));
  return new Map<string, () => string>([
    ['the newest page', () => '/events/'],
    ['the newest page, of 1,000', () => '/events/?page_size=1000'],
    [`page ${CURSOR_DEPTH.toLocaleString('en')}, by cursor`, () => pick(deep)],
    ['one event by its id', () => `/events/${pick(ids)}/`],
    ['a session', () => eventsPath({ session_id: sessionId(randomBelow(events / EVENTS_PER_SESSION)) })],
    ['a category', () => eventsPath({ category: `category-${randomBelow(CATEGORIES)}` })],
    ['a category not seen for eleven months', () => eventsPath({ category: RARE_CATEGORY })],
    ['an application that has few', () => eventsPath({ application: RARE_APPLICATION })],
    ['its second page, by cursor', () => second],
    ['a day', () => eventsPath(timestampRange(1))],
    ['a month', () => eventsPath(timestampRange(30))],
    [
      'a category on a day',
      () => eventsPath({ category: `category-${randomBelow(CATEGORIES)}`, ...timestampRange(1) }),
    ],
    ['a month, oldest first', () => eventsPath({ ...timestampRange(30), ordering: 'timestamp' })],
    ['what happened in a session', () => `/sessions/${sessionId(randomBelow(events / EVENTS_PER_SESSION))}/`],
  ]);
}

const eventsPath = (query: Record<string, string>): string =>
  `/events/?${new URLSearchParams(query).toString()}`;

const randomBelow = (below: number): number => Math.floor(Math.random() * below);

const pick = (paths: readonly string[]): string => paths[randomBelow(paths.length)] ?? '';

function timestampRange(days: number): { timestamp_after: string; timestamp_before: string } {
  const { from, to } = dayRange(days);
  return { timestamp_after: from, timestamp_before: to };
}

/** A random range of whole days: the first and the last day. */
function dayRange(days: number): { from: string; to: string } {
  const first = randomBelow(DAYS - days + 1);
  const date = (day: number): string => new Date(Date.UTC(YEAR, 0, 1 + day)).toISOString().slice(0, 10);
  return { from: date(first), to: date(first + days - 1) };
}

async function sampleIds(eye: TheEye): Promise<string[]> {
  const rows = await eye.sql<{ id: string }>(
    `SELECT id FROM events TABLESAMPLE SYSTEM (1) ORDER BY random() LIMIT ${SAMPLE_SIZE}`,
  );
  return rows.map(({ id }) => id);
}

async function pagesAtDepth(eye: TheEye): Promise<string[]> {
  const paths = ['/events/'];
  while (paths.length < CURSOR_DEPTH + SAMPLE_SIZE) paths.push(await nextPage(eye, paths.at(-1) ?? ''));
  return paths.slice(CURSOR_DEPTH - 1);
}

async function nextPage(eye: TheEye, path: string): Promise<string> {
  const { pathname, search } = new URL((await eye.get(path)).body.next as string);
  return pathname + search;
}
