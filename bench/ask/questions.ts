import type { TheEye } from '../../testing/the-eye.js';
import { CATEGORIES, DAYS, NAMES, RARE, SELDOM, SESSION_EVENTS, sessionId, YEAR } from './fill.js';

/** What makes the path of one more question of a kind, by the name of the kind. */
export type Questions = Map<string, () => string>;

/** A page of ten, a larger one, or counts of many events. */
export type QuestionKind = 'page' | 'large page' | 'aggregate';

export function kindOf(path: string): QuestionKind {
  if (path.startsWith('/statistics/')) return 'aggregate';
  return path.includes('page_size=') ? 'large page' : 'page';
}

/** Cursor pages followed before the measured ones. */
const DEPTH = 1000;

/** Pages and ids to choose from. */
const CHOICE = 50;

/** The questions of a data team to so many events. Ranges of time hold more of them the larger the table is, and all hold some. */
export async function questions(eye: TheEye, events: number): Promise<Questions> {
  const ids = await someIds(eye);
  const deep = await deepPages(eye);
  const second = await secondPages(eye);
  return new Map<string, () => string>([
    ['the newest page', () => '/events/'],
    ['the newest page, of 1,000', () => '/events/?page_size=1000'],
    [`page ${DEPTH.toLocaleString('en')}, by cursor`, () => oneOf(deep)],
    ['one event by its id', () => `/events/${oneOf(ids)}/`],
    ['a session', () => ask({ session_id: sessionId(random(events / SESSION_EVENTS)) })],
    ['a category', () => ask({ category: `category-${random(CATEGORIES)}` })],
    ['a category not seen for eleven months', () => ask({ category: RARE })],
    ['a category and name', () => ask(type())],
    [
      'a category of an application that has most',
      () => ask({ application: 'default', category: `category-${random(CATEGORIES)}` }),
    ],
    [
      'a category of an application that has few',
      () => ask({ application: SELDOM, category: `category-${random(CATEGORIES)}` }),
    ],
    ['its second page, by cursor', () => oneOf(second)],
    ['a day', () => ask(between(1))],
    ['a month', () => ask(between(30))],
    ['a category on a day', () => ask({ category: `category-${random(CATEGORIES)}`, ...between(1) })],
    ['a category and name in a month', () => ask({ ...type(), ...between(30) })],
    ['a month, oldest first', () => ask({ ...between(30), ordering: 'timestamp' })],
    ['the newest sessions', () => '/sessions/'],
    ['the sessions of a category', () => `/sessions/?category=category-${random(CATEGORIES)}`],
    ['what happened in a session', () => `/sessions/${sessionId(random(events / SESSION_EVENTS))}/`],
    ['a day by the hour', () => count('events', { ...range(1), interval: 'hour' })],
    [
      'a month by the hour and category',
      () => count('events', { ...range(30), interval: 'hour', group_by: 'category' }),
    ],
    [
      'the year by the day and type',
      () => count('events', { ...range(DAYS), interval: 'day', group_by: 'type' }),
    ],
    [
      'a day by the minute and type',
      () => count('events', { ...range(1), interval: 'minute', group_by: 'type' }),
    ],
    [
      'an uneven week by the hour and name',
      () => count('events', { ...exactly(7), interval: 'hour', group_by: 'name', timezone: 'Asia/Kolkata' }),
    ],
    ['the largest of a month', () => count('top', range(30))],
    ['the largest of the year', () => count('top', range(DAYS))],
  ]);
}

const ask = (query: Record<string, string>): string => `/events/?${new URLSearchParams(query).toString()}`;

const count = (what: 'events' | 'top', query: Record<string, string>): string =>
  `/statistics/${what}/?${new URLSearchParams(query).toString()}`;

const random = (below: number): number => Math.floor(Math.random() * below);

const oneOf = (paths: readonly string[]): string => paths[random(paths.length)] ?? '';

function type(): { category: string; name: string } {
  const name = random(NAMES);
  return { category: `category-${name % CATEGORIES}`, name: `name-${name}` };
}

function between(days: number): { timestamp_after: string; timestamp_before: string } {
  const { from, to } = range(days);
  return { timestamp_after: from, timestamp_before: to };
}

/** Whole days of the year, the first and the last. */
function range(days: number): { from: string; to: string } {
  const first = random(DAYS - days + 1);
  const date = (day: number): string => new Date(Date.UTC(YEAR, 0, 1 + day)).toISOString().slice(0, 10);
  return { from: date(first), to: date(first + days - 1) };
}

/** So many days, which begin and end within a minute, and whose hours in Kolkata begin at half past those of UTC. */
function exactly(days: number): { from: string; to: string } {
  const from = Date.UTC(YEAR, 0, 1 + random(DAYS - days), random(24), random(60), 1 + random(59));
  return { from: new Date(from).toISOString(), to: new Date(from + days * 86_400_000).toISOString() };
}

async function someIds(eye: TheEye): Promise<string[]> {
  const rows = await eye.sql<{ id: string }>(
    `SELECT id FROM events TABLESAMPLE SYSTEM (1) ORDER BY random() LIMIT ${CHOICE}`,
  );
  return rows.map(({ id }) => id);
}

async function deepPages(eye: TheEye): Promise<string[]> {
  const paths = ['/events/'];
  while (paths.length < DEPTH + CHOICE) paths.push(await next(eye, paths.at(-1) ?? ''));
  return paths.slice(DEPTH - 1);
}

/** Of each category of the application that has few. */
function secondPages(eye: TheEye): Promise<string[]> {
  const categories = Array.from({ length: CATEGORIES }, (_, number) => `category-${number}`);
  return Promise.all(categories.map((category) => next(eye, ask({ application: SELDOM, category }))));
}

async function next(eye: TheEye, path: string): Promise<string> {
  const { pathname, search } = new URL((await eye.get(path)).body.next as string);
  return pathname + search;
}
