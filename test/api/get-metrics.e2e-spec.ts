import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OwnPostgres } from '../support/servers.js';
import { anEvent, eventually, TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

async function scrape(eye: TheEye): Promise<Sample[]> {
  const { status, headers, body } = await eye.get('/metrics');
  expect([status, headers.get('content-type')]).toEqual([
    200,
    expect.stringMatching(/^text\/plain; version=0\.0\.4/),
  ]);
  const lines: string[] = body.split('\n').filter((line: string) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => {
    const [, name = '', labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text]);
    return { name, labels: Object.fromEntries(pairs), value: Number(value) };
  });
}

const sum = (samples: Sample[], name: string, labels: Record<string, string> = {}): number =>
  samples
    .filter(
      (one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value),
    )
    .reduce((total, { value }) => total + value, 0);

describe('GET /metrics', () => {
  let postgres: OwnPostgres;
  let eye: TheEye;
  beforeAll(async () => {
    postgres = await OwnPostgres.start();
    eye = await startEye({ DATABASE_URL: postgres.url });
  });
  afterAll(async () => {
    await eye.close();
    await postgres.close();
  });

  it('labels every sample with the role of the process', async () => {
    const samples = await scrape(eye);
    expect(samples.length).toBeGreaterThan(50);
    expect(samples.filter(({ labels }) => labels['role'] !== 'all')).toEqual([]);
    expect(samples.filter(({ name, value }) => name === '' || Number.isNaN(value))).toEqual([]);
  });

  it('counts accepted, stored and duplicate events, and refused events by code', async () => {
    const event = anEvent();
    await eye.store([anEvent(), anEvent(), event]);
    await eye.post('/events/', [event, event, anEvent()]);
    await eye.post('/events/', [{}, { ...event, name: '' }, 'x', anEvent()]);
    await eye.post('/events/', ' '.repeat(6 * 1024 * 1024));
    await eye.drained();
    await eventually(async () => {
      const samples = await scrape(eye);
      const counted = Object.fromEntries(
        ['accepted', 'stored', 'duplicate', 'refused'].map((name) => [
          name,
          sum(samples, `the_eye_events_${name}_total`),
        ]),
      );
      expect(counted).toEqual({ accepted: 7, stored: 5, duplicate: 2, refused: 4 });
      const refused = samples.filter(({ name }) => name === 'the_eye_events_refused_total');
      expect(Object.fromEntries(refused.map(({ labels, value }) => [labels['code'], value]))).toEqual({
        missing_field: 1,
        refused_by_database: 0,
        empty: 1,
        wrong_type: 1,
        too_large: 1,
      });
      expect(sum(samples, 'the_eye_job_seconds_count')).toBeGreaterThan(0);
      expect(
        sum(samples, 'the_eye_statement_seconds_count', { statement: 'INSERT events', outcome: 'ok' }),
      ).toBeGreaterThan(0);
    });
  });

  it('counts responses by the template of their route, never by the requested path', async () => {
    const id = crypto.randomUUID();
    await eye.get(`/events/${id}/`);
    await eye.get(`/events/${crypto.randomUUID()}`);
    await eye.get(`/nothing/${id}`);
    // The 413 is counted once the rest of its body has come.
    const samples = await eventually(async () => {
      const scraped = await scrape(eye);
      const count = (labels: Record<string, string>): number =>
        sum(scraped, 'the_eye_http_request_seconds_count', labels);
      expect(count({ method: 'GET', route: '/events/:id', status: '404' })).toBe(2);
      expect(count({ method: 'GET', route: 'none', status: '404' })).toBe(1);
      expect(count({ method: 'POST', route: '/events', status: '413' })).toBe(1);
      return scraped;
    });
    expect(JSON.stringify(samples)).not.toContain(id);
  });

  it('reports the size and the age of the backlog while PostgreSQL is down', async () => {
    await postgres.stop();
    await eye.post('/events/', [anEvent(), anEvent()]);
    await eventually(async () => {
      const samples = await scrape(eye);
      expect(sum(samples, 'the_eye_backlog_events')).toBe(2);
      expect(sum(samples, 'the_eye_backlog_oldest_seconds')).toBeGreaterThan(1);
      expect(sum(samples, 'the_eye_statement_seconds_count', { outcome: 'unavailable' })).toBeGreaterThan(0);
    });
    await postgres.start();
    await eye.drained();
    await eventually(async () => {
      const samples = await scrape(eye);
      expect(sum(samples, 'the_eye_backlog_events')).toBe(0);
      expect(sum(samples, 'the_eye_backlog_oldest_seconds')).toBe(0);
    });
  });

  it('exposes every metric and label that the alerts and the dashboard query', async () => {
    const exposed = new Map<string, Set<string>>([['up', new Set(['job', 'instance'])]]);
    for (const { name, labels } of await scrape(eye))
      exposed.set(name, new Set([...Object.keys(labels), ...(exposed.get(name) ?? []), 'job', 'instance']));
    const expressions = [...expressionsOfAlerts(), ...expressionsOfDashboard()];
    expect(expressions.length).toBeGreaterThan(20);
    for (const expression of expressions) {
      const metrics = metricsIn(expression);
      expect({ expression, metrics }).toEqual({
        expression,
        metrics: expect.arrayContaining([expect.any(String)]),
      });
      for (const name of metrics)
        expect([expression, name, exposed.has(name)]).toEqual([expression, name, true]);
      const labels = new Set(metrics.flatMap((name) => [...(exposed.get(name) ?? [])]));
      for (const label of labelsIn(expression))
        expect([expression, label, labels.has(label)]).toEqual([expression, label, true]);
    }
  });
});

const read = (file: string): string =>
  readFileSync(join(import.meta.dirname, '../../monitoring', file), 'utf8');

/** An expression in alerts.yml is on one line, or folded below `expr: >` and indented by ten spaces. */
const expressionsOfAlerts = (): string[] =>
  [...read('alerts.yml').matchAll(/^ {8}expr: (?:>\n((?: {10}.*\n)+)|(.*))/gm)].map(
    ([, folded, line]) => folded ?? line ?? '',
  );

const expressionsOfDashboard = (): string[] =>
  JSON.parse(read('grafana/dashboards/the-eye.json')).panels.flatMap(({ targets }: any) =>
    targets.map(({ expr }: any) => expr),
  );

const KEYWORDS = new Set(['by', 'max', 'sum', 'le']);

/** The metrics in a PromQL expression: words that are neither functions nor labels. */
function metricsIn(expression: string): string[] {
  const bare = expression.replace(/\{[^}]*\}|\[[^\]]*\]/g, ' ').replace(/\bby\s*\([^)]*\)/g, ' ');
  return [...bare.matchAll(/\b[a-z]\w*\b(?!\s*\()/g)]
    .map(([word]) => word)
    .filter((word) => !KEYWORDS.has(word));
}

/** The labels that a PromQL expression groups by or selects by. */
function labelsIn(expression: string): string[] {
  const grouped = [...expression.matchAll(/\bby\s*\(([^)]*)\)/g)].flatMap(([, list = '']) =>
    list.split(/\s*,\s*/),
  );
  const selected = [...expression.matchAll(/[{,]\s*(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label);
  return [...grouped, ...selected];
}
