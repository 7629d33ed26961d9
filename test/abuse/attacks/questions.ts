import { bearer } from '../../../testing/keys.js';
import type { Attack, Stage } from '../attack.js';
import { ATTACKER } from '../attack.js';

/** Names of types that the attacker makes, as far as The Eye accepts them. */
const NAMES = 100_000;
const EVENTS_A_REQUEST = 5000;

async function post({ eye, keys }: Stage, events: unknown[], prefer?: string): Promise<number> {
  const headers = { ...bearer(keys.ingest), ...(prefer !== undefined && { prefer }) };
  return (await eye.post('/events/', events, headers)).status;
}

/** Sends events of as many types as The Eye accepts. */
async function makeNames(stage: Stage): Promise<void> {
  for (let first = 0; first < NAMES; first += EVENTS_A_REQUEST) {
    const events = Array.from({ length: EVENTS_A_REQUEST }, (_, index) => ({
      session_id: `${(first + index) % 1000}`,
      category: 'attack',
      name: `name ${first + index}`,
      timestamp: new Date(Date.now() - (first + index) * 100).toISOString(),
    }));
    await post(stage, events);
  }
  await stage.eye.drained();
}

/** 1,000 events of one session, each of nearly 64 KB. */
async function makeLargeEvents(stage: Stage): Promise<void> {
  const text = 'x'.repeat(62_000);
  for (let first = 0; first < 1000; first += 50) {
    const events = Array.from({ length: 50 }, (_, index) => ({
      session_id: 'large',
      category: 'attack',
      name: 'large',
      data: { index: first + index, text },
    }));
    await post(stage, events);
  }
  await stage.eye.drained();
}

/** 24 events of 62 KB, 100 levels deep, whose indented text is many times as long. */
async function makeDeepEvents(stage: Stage): Promise<void> {
  const deep = JSON.parse(
    `${'['.repeat(95)}${Array(31_000).fill('0').join(',')}${']'.repeat(95)}`,
  ) as unknown;
  for (let index = 0; index < 24; index++)
    await post(stage, [{ session_id: 'deep', category: 'attack', name: 'deep', data: { index, deep } }]);
  await stage.eye.drained();
}

function asks(name: string, path: string | (() => string), rest: Partial<Attack> = {}): Attack {
  return {
    name,
    scope: 'read',
    senders: 16,
    request: (client) => client.send('GET', typeof path === 'string' ? path : path()),
    ...rest,
  };
}

const random = (limit: number): number => Math.floor(Math.random() * limit);

/** A question that no cache can know. */
const byName = (): string =>
  `/statistics/events/?interval=minute&group_by=name&limit=${1 + random(13)}&from=${new Date(Date.now() - 86_400_000 + random(3_600_000)).toISOString()}`;

const FUNNEL = JSON.stringify({
  steps: Array.from({ length: 10 }, () => ({ category: 'attack', name: 'name 1' })),
  from: '0001-01-01',
  to: '9999-01-01',
  window: 31_622_400,
});

/** As many conditions as a funnel may have, each of which ClickHouse has to analyse. */
const CONDITIONS = JSON.stringify({
  steps: Array.from({ length: 10 }, (_, step) => ({
    category: 'attack',
    where: Object.fromEntries(
      Array.from({ length: 30 }, (_, index) => [`data.p${step}x${index}`, { contains: 'y'.repeat(500) }]),
    ),
  })),
  window: 3600,
});

export const QUESTIONS: readonly Attack[] = [
  {
    name: '200 waits of 30 seconds',
    short: true,
    scope: 'ingest',
    senders: 200,
    request: (client) =>
      client.json(
        'POST',
        '/events/',
        JSON.stringify({ session_id: crypto.randomUUID(), category: 'attack', name: 'attack' }),
        { prefer: 'wait=30' },
      ),
  },
  {
    name: 'events of 5,000 new types a request',
    scope: 'ingest',
    senders: 2,
    question: '/statistics/events/?interval=minute&group_by=name',
    request: (client) =>
      client.json(
        'POST',
        '/events/',
        JSON.stringify(
          Array.from({ length: 5000 }, () => ({
            session_id: 'a',
            category: 'attack',
            name: crypto.randomUUID(),
          })),
        ),
      ),
  },
  {
    name: 'events of 5,000 new sessions a request',
    scope: 'ingest',
    senders: 2,
    request: (client) =>
      client.json(
        'POST',
        '/events/',
        JSON.stringify(
          Array.from({ length: 5000 }, () => ({
            session_id: crypto.randomUUID(),
            category: 'attack',
            name: 'a',
          })),
        ),
      ),
  },
  {
    name: 'events of changing years from 1 to 2026',
    scope: 'ingest',
    senders: 2,
    question: '/statistics/events/?interval=day&from=2020-01-01&to=2026-01-01',
    request: (client) =>
      client.json(
        'POST',
        '/events/',
        JSON.stringify(
          Array.from({ length: 2000 }, (_, index) => ({
            session_id: 'a',
            category: 'attack',
            name: 'attack',
            timestamp: `${String(1 + random(2025)).padStart(4, '0')}-0${1 + random(9)}-1${index % 10}T00:00:00Z`,
          })),
        ),
      ),
  },
  asks('statistics by 100,000 names', byName, { senders: 10, prepare: makeNames }),
  asks('the top of 100,000 names', '/statistics/top/?from=0001-01-01&to=9999-12-30&limit=100', {
    senders: 10,
    prepare: makeNames,
  }),
  asks(
    'statistics of 5,000 buckets by name, in a zone of its own',
    () =>
      `/statistics/events/?interval=week&group_by=name&limit=4&from=19${31 + random(30)}-01-01&to=2026-01-01&timezone=Australia/Lord_Howe`,
    { prepare: makeNames },
  ),
  asks('statistics of 5,000 months', '/statistics/events/?interval=month&from=1610-01-01&to=2026-01-01'),
  {
    name: 'funnels of 10 steps over all time',
    scope: 'read',
    senders: 8,
    prepare: makeNames,
    request: (client) => client.json('POST', '/statistics/funnel/', FUNNEL),
  },
  {
    name: 'funnels of 300 conditions',
    scope: 'read',
    senders: 8,
    request: (client) => client.json('POST', '/statistics/funnel/', CONDITIONS),
  },
  asks('pages of 1,000 events of 62 kB', '/events/?session_id=large&page_size=1000', {
    senders: 4,
    prepare: makeLargeEvents,
  }),
  asks('a session of 1,000 events of 62 kB', '/sessions/large/?page_size=1000', {
    senders: 4,
    prepare: makeLargeEvents,
  }),
  asks('24 deep events, indented by 8', '/events/?session_id=deep&page_size=24', {
    senders: 2,
    prepare: makeDeepEvents,
    request: (client) =>
      client.send('GET', '/events/?session_id=deep&page_size=24', {
        headers: { accept: 'application/json; indent=8' },
      }),
  }),
  asks('the deepest page of the list', '/events/?page=1000&page_size=10&category=attack', {
    prepare: makeNames,
  }),
  asks(
    'sessions by application and category, oldest first',
    `/sessions/?application=${ATTACKER}&category=attack&page_size=1000`,
    { prepare: makeNames },
  ),
  asks('cursors made up by hand', () => {
    const made = [{ timestamp: 'x'.repeat(8000) }, [[[[]]]], { __proto__: null }, '9'.repeat(9000)][
      random(4)
    ];
    return `/events/?cursor=${Buffer.from(JSON.stringify(made)).toString('base64url')}`;
  }),
  asks(
    'extremes of page and ordering',
    () =>
      [
        '/events/?page=99999999999999999999',
        `/events/?ordering=${',-timestamp'.repeat(1000)}`,
        '/events/?page=-1',
      ][random(3)] as string,
  ),
  asks('rejections of all time', '/rejections/?page_size=1000'),
  asks('the summary of rejections by minute', '/rejections/summary/?interval=minute&from=2020-01-01'),
  asks('exports, which nobody reads', '', {
    senders: 32,
    prepare: makeLargeEvents,
    question: '/events/export?session_id=nobody',
    request: (client) =>
      client.connection(
        (socket) => client.write(socket, client.head('GET', '/events/export?format=ndjson&session_id=large')),
        false,
      ),
  }),
  asks('Parquet exports', '/events/export?format=parquet&session_id=large', {
    prepare: makeLargeEvents,
    question: '/events/export?session_id=nobody',
  }),
  asks('streams, which nobody reads', '', {
    senders: 1200,
    question: '/events/stream',
    request: (client) =>
      client.connection((socket) => client.write(socket, client.head('GET', '/events/stream')), false),
  }),
  asks('500 streams that resume from the oldest event', '', {
    senders: 500,
    prepare: makeLargeEvents,
    request: (client) =>
      client.connection((socket) =>
        client.write(socket, client.head('GET', '/events/stream', ['Last-Event-ID: 0-0'])),
      ),
  }),
  asks('the OpenAPI document', '/docs-json', { scope: undefined }),
  asks('the rates', '/statistics/rates/', { senders: 32 }),
  asks('the readiness', '/health/ready', { scope: undefined, senders: 32 }),
];
