import { EVENTS } from '../../src/replication/copy-table.js';
import type { EyeResponse, TheEye } from '../../testing/the-eye.js';
import { DAYS, PRODUCTS, YEAR_START } from './fill.js';

/** One question with random values, asked of The Eye, and as somebody would write it in SQL who knows the table. */
export interface Instance {
  readonly ask: (eye: TheEye) => Promise<EyeResponse>;
  readonly sql: string;
}

export interface Question {
  readonly name: string;
  /** Milliseconds at 10 and at 100 million events; undefined where there is no aim. */
  readonly aims?: readonly [ten: number, hundred: number];
  readonly make: () => Instance;
}

const DAY_MS = 86_400_000;
const MONTH_DAYS = 30;

/** Random values of a parameter of the counts. */
const INTERVALS = { minute: 2, hour: 30, day: DAYS, week: DAYS, month: DAYS } as const;
const GROUPS = ['application', 'category', 'name', 'type'] as const;
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe'] as const;

const STEPS = [
  { category: 'page interaction', name: 'pageview' },
  { category: 'click', name: 'add to basket' },
  { category: 'checkout', name: 'pay' },
] as const;
const WINDOW_SECONDS = 3600;

const randomBelow = (below: number): number => Math.floor(Math.random() * below);
const pick = <T>(values: readonly T[]): T => values[randomBelow(values.length)] as T;

interface Range {
  readonly from: Date;
  readonly to: Date;
}

/** A random range between two whole seconds. */
function rangeOf(days: number): Range {
  const from = YEAR_START + Math.floor(Math.random() * (DAYS - days) * 86_400) * 1000;
  return { from: new Date(from), to: new Date(from + days * DAY_MS) };
}

const EVERYTHING: Range = { from: new Date(YEAR_START), to: new Date(YEAR_START + DAYS * DAY_MS) };

const texts = ({ from, to }: Range): { from: string; to: string } => ({
  from: from.toISOString(),
  to: to.toISOString(),
});

const lies = ({ from, to }: Range): string =>
  `timestamp >= ${from.getTime()}000 AND timestamp < ${to.getTime()}000`;

const get =
  (path: string, parameters: Record<string, string>) =>
  (eye: TheEye): Promise<EyeResponse> =>
    eye.get(`${path}?${new URLSearchParams(parameters).toString()}`);

const time = (zone: string): string => `fromUnixTimestamp64Micro(timestamp, '${zone}')`;

/** Of any range, interval, group and zone; at most 100 groups with 5,000 buckets may be asked for. */
function counts(): Instance {
  const interval = pick(Object.keys(INTERVALS) as (keyof typeof INTERVALS)[]);
  const [group, timezone] = [pick(GROUPS), pick(ZONES)];
  const range = rangeOf(Math.max(1, randomBelow(INTERVALS[interval])));
  const columns = group === 'type' ? 'category, name' : group;
  return {
    ask: get('/statistics/events/', { ...texts(range), interval, group_by: group, timezone, limit: '4' }),
    sql: `SELECT toStartOfInterval(${time(timezone)}, INTERVAL 1 ${interval}) AS bucket, ${columns}, count() FROM ${EVENTS}
      WHERE ${lies(range)} GROUP BY ALL`,
  };
}

function top(property: string, range: Range): Instance {
  return {
    ask: get('/statistics/top/', { ...texts(range), property }),
    sql: `SELECT ${property}.:\`String\` AS value, count() AS events, uniqExact(session_id) AS sessions FROM ${EVENTS}
      WHERE ${lies(range)} AND isNotNull(value) GROUP BY value ORDER BY events DESC LIMIT 10`,
  };
}

function sessionsByDay(): Instance {
  return {
    ask: get('/statistics/events/', { ...texts(EVERYTHING), interval: 'day', measure: 'sessions' }),
    sql: `SELECT toDate(${time('UTC')}) AS day, uniqExact(session_id) FROM ${EVENTS} WHERE ${lies(EVERYTHING)} GROUP BY day`,
  };
}

function funnel(): Instance {
  const range = rangeOf(MONTH_DAYS);
  const isStep = ({ category, name }: (typeof STEPS)[number]): string =>
    `category = '${category}' AND name = '${name}'`;
  return {
    ask: (eye) => eye.post('/statistics/funnel/', { ...texts(range), steps: STEPS, window: WINDOW_SECONDS }),
    sql: `SELECT level, count() FROM (
        SELECT windowFunnel(${WINDOW_SECONDS}000000)(toUInt64(timestamp), ${STEPS.map(isStep).join(', ')}) AS level
        FROM ${EVENTS} WHERE ${lies(range)} AND (${STEPS.map((step) => `(${isStep(step)})`).join(' OR ')}) GROUP BY session_id
      ) GROUP BY level`,
  };
}

/** By hand, of a day: whoever has no summary of sessions must look at a range of time. */
function sessionPage(): Instance {
  const before = rangeOf(1).to;
  const day = { from: new Date(before.getTime() - DAY_MS), to: before };
  return {
    ask: get('/sessions/', { timestamp_before: before.toISOString() }),
    sql: `SELECT session_id, min(timestamp), max(timestamp) AS last, count(), groupUniqArray(category),
        argMin((category, name), timestamp), argMax((category, name), timestamp)
      FROM ${EVENTS} WHERE ${lies(day)} GROUP BY session_id ORDER BY last DESC LIMIT 10`,
  };
}

function eventPage(condition: Record<string, string>, sql: string): Instance {
  return {
    ask: get('/events/', condition),
    sql: `SELECT id, application, session_id, category, name, data_text, timestamp FROM ${EVENTS}
      WHERE ${sql} ORDER BY timestamp DESC, id DESC LIMIT 10`,
  };
}

/** Those for which there are aims, and those beside which they are interesting. */
export const QUESTIONS: readonly Question[] = [
  { name: 'events, any range, interval, group and zone', aims: [60, 150], make: counts },
  {
    name: 'top values of a property, a month',
    aims: [150, 300],
    make: () => top('data.path', rangeOf(MONTH_DAYS)),
  },
  {
    name: 'top values of a property, everything',
    aims: [600, 4000],
    make: () => top('data.path', EVERYTHING),
  },
  { name: 'unique sessions by day, a year', aims: [400, 2000], make: sessionsByDay },
  { name: 'funnel of three steps, a month', aims: [300, 600], make: funnel },
  { name: 'page of sessions', aims: [30, 60], make: sessionPage },
  {
    name: 'page of ten, one event in 10,000 matches a text',
    aims: [100, 300],
    make: () => {
      const product = `product-${randomBelow(PRODUCTS)}`;
      return eventPage({ 'data.product': product }, `data.product.:\`String\` = '${product}'`);
    },
  },
  {
    name: 'page of ten, one event in 10,000 matches a number',
    aims: [100, 300],
    // One amount in 800, which one event in twelve has.
    make: () => eventPage({ 'data.amount:gte': '179.79' }, 'data.amount.:`Float64` >= 179.79'),
  },
  {
    name: 'page of ten, no event matches',
    make: () => {
      const product = `product-${PRODUCTS + randomBelow(PRODUCTS)}`;
      return eventPage({ 'data.product': product }, `data.product.:\`String\` = '${product}'`);
    },
  },
];

/** What is asked again and again while events arrive. */
export const askedMeanwhile = (): Instance => top('data.path', rangeOf(MONTH_DAYS));
