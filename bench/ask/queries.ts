import type { TheEye } from '../../testing/the-eye.js';
import {
  CATEGORIES,
  DAYS,
  NAMES,
  RARE_CATEGORY,
  RARE_APPLICATION,
  EVENTS_PER_SESSION,
  sessionId,
  YEAR,
} from './fill.js';

/** Functions that return a request path with random values, by the name of the query. */
export type Queries = Map<string, () => string>;

/** A page of ten, a larger page, or an aggregate over many events. */
export type QueryKind = 'page' | 'large page' | 'aggregate';

export function kindOf(path: string): QueryKind {
  if (path.startsWith('/statistics/')) return 'aggregate';
  return path.includes('page_size=') ? 'large page' : 'page';
}

/** Number of cursor pages to follow before the measured ones. */
const CURSOR_DEPTH = 1000;

/** Number of pages and ids to choose from. */
const SAMPLE_SIZE = 50;

/** Typical queries of a data team. A time range contains more events the larger the table is, and never none. */
export async function makeQueries(eye: TheEye, events: number): Promise<Queries> {
  const ids = await sampleIds(eye);
  const deep = await pagesAtDepth(eye);
  const second = await secondPages(eye);
  return new Map<string, () => string>([
    ['the newest page', () => '/events/'],
    ['the newest page, of 1,000', () => '/events/?page_size=1000'],
    [`page ${CURSOR_DEPTH.toLocaleString('en')}, by cursor`, () => pick(deep)],
    ['one event by its id', () => `/events/${pick(ids)}/`],
    ['a session', () => eventsPath({ session_id: sessionId(randomBelow(events / EVENTS_PER_SESSION)) })],
    ['a category', () => eventsPath({ category: `category-${randomBelow(CATEGORIES)}` })],
    ['a category not seen for eleven months', () => eventsPath({ category: RARE_CATEGORY })],
    ['a category and name', () => eventsPath(randomType())],
    [
      'a category of an application that has most',
      () => eventsPath({ application: 'default', category: `category-${randomBelow(CATEGORIES)}` }),
    ],
    [
      'a category of an application that has few',
      () => eventsPath({ application: RARE_APPLICATION, category: `category-${randomBelow(CATEGORIES)}` }),
    ],
    ['its second page, by cursor', () => pick(second)],
    ['a day', () => eventsPath(timestampRange(1))],
    ['a month', () => eventsPath(timestampRange(30))],
    [
      'a category on a day',
      () => eventsPath({ category: `category-${randomBelow(CATEGORIES)}`, ...timestampRange(1) }),
    ],
    ['a category and name in a month', () => eventsPath({ ...randomType(), ...timestampRange(30) })],
    ['a month, oldest first', () => eventsPath({ ...timestampRange(30), ordering: 'timestamp' })],
    ['the newest sessions', () => '/sessions/'],
    ['the sessions of a category', () => `/sessions/?category=category-${randomBelow(CATEGORIES)}`],
    ['what happened in a session', () => `/sessions/${sessionId(randomBelow(events / EVENTS_PER_SESSION))}/`],
    ['a day by the hour', () => statisticsPath('events', { ...dayRange(1), interval: 'hour' })],
    [
      'a month by the hour and category',
      () => statisticsPath('events', { ...dayRange(30), interval: 'hour', group_by: 'category' }),
    ],
    [
      'the year by the day and type',
      () => statisticsPath('events', { ...dayRange(DAYS), interval: 'day', group_by: 'type' }),
    ],
    [
      'a day by the minute and type',
      () => statisticsPath('events', { ...dayRange(1), interval: 'minute', group_by: 'type' }),
    ],
    [
      'an uneven week by the hour and name',
      () =>
        statisticsPath('events', {
          ...unalignedRange(7),
          interval: 'hour',
          group_by: 'name',
          timezone: 'Asia/Kolkata',
        }),
    ],
    ['the largest of a month', () => statisticsPath('top', dayRange(30))],
    ['the largest of the year', () => statisticsPath('top', dayRange(DAYS))],
  ]);
}

const eventsPath = (query: Record<string, string>): string =>
  `/events/?${new URLSearchParams(query).toString()}`;

const statisticsPath = (what: 'events' | 'top', query: Record<string, string>): string =>
  `/statistics/${what}/?${new URLSearchParams(query).toString()}`;

const randomBelow = (below: number): number => Math.floor(Math.random() * below);

const pick = (paths: readonly string[]): string => paths[randomBelow(paths.length)] ?? '';

function randomType(): { category: string; name: string } {
  const name = randomBelow(NAMES);
  return { category: `category-${name % CATEGORIES}`, name: `name-${name}` };
}

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

/** A random range that starts and ends between full minutes. In Kolkata, hours start at half past the hour of UTC. */
function unalignedRange(days: number): { from: string; to: string } {
  const from = Date.UTC(
    YEAR,
    0,
    1 + randomBelow(DAYS - days),
    randomBelow(24),
    randomBelow(60),
    1 + randomBelow(59),
  );
  return { from: new Date(from).toISOString(), to: new Date(from + days * 86_400_000).toISOString() };
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

/** The second page of each category of the application with few events. */
function secondPages(eye: TheEye): Promise<string[]> {
  const categories = Array.from({ length: CATEGORIES }, (_, number) => `category-${number}`);
  return Promise.all(
    categories.map((category) => nextPage(eye, eventsPath({ application: RARE_APPLICATION, category }))),
  );
}

async function nextPage(eye: TheEye, path: string): Promise<string> {
  const { pathname, search } = new URL((await eye.get(path)).body.next as string);
  return pathname + search;
}
