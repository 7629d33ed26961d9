import { randomBytes } from 'node:crypto';
import { Collector, type Span } from '../support/otlp.js';
import { Admin } from '../../testing/keys.js';
import { anEvent, eventually, TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';

const CONSUMER = 5;

/** A new trace id and the `traceparent` header that a client sends for it. */
const aTrace = (): { traceId: string; headers: Record<string, string> } => {
  const traceId = randomBytes(16).toString('hex');
  return { traceId, headers: { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01` } };
};

describe('Traces', () => {
  let collector: Collector;
  let api: TheEye;
  let worker: TheEye;
  let key: string;

  beforeAll(async () => {
    collector = await Collector.start();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '100' };
    api = await startEye({ ROLE: 'api', ...env });
    worker = await api.startPeer({ ROLE: 'worker', ...env });
    ({ key } = await (await Admin.of(api)).create('web', { scope: 'ingest' }));
  });
  afterAll(async () => {
    await worker?.end();
    await api?.close();
    collector?.close();
  });

  /** The spans of a trace by name, once the given ones have arrived. */
  const spansOf = (traceId: string, ...names: string[]): Promise<Record<string, Span>> =>
    eventually(() => {
      const spans = collector.spans.filter((span) => span.traceId === traceId);
      const found = Object.fromEntries(spans.map((span) => [span.name, span]));
      expect(Object.keys(found)).toEqual(expect.arrayContaining(names));
      return Promise.resolve(found);
    });

  it('connect the request, the job and the SQL statement across two processes', async () => {
    const { traceId, headers } = aTrace();
    const { status } = await api.post(
      `/events/?key=${key}`,
      anEvent({ data: { marker: 'payload-4711' } }),
      headers,
    );
    expect(status).toBe(202);
    const found = await spansOf(traceId, 'POST /events', 'queue events', 'store events', 'INSERT events');
    expect(found['POST /events']?.attributes).toMatchObject({
      'http.request.method': 'POST',
      'http.route': '/events',
      'http.response.status_code': 202,
    });
    expect(found['queue events']?.parentSpanId).toBe(found['POST /events']?.spanId);
    expect(found['store events']).toMatchObject({
      kind: CONSUMER,
      parentSpanId: found['queue events']?.spanId,
      links: [{ traceId, spanId: found['queue events']?.spanId }],
    });
    expect(found['INSERT events']?.parentSpanId).toBe(found['store events']?.spanId);
    expect(found['POST /events']?.resource).toMatchObject({
      'service.name': 'the-eye',
      'the_eye.role': 'api',
    });
    expect(found['INSERT events']?.resource).toMatchObject({ 'the_eye.role': 'worker' });
  });

  it('link a job to a limited number of requests', async () => {
    await worker.end();
    const traces = Array.from({ length: 50 }, aTrace);
    const responses = await Promise.all(
      traces.map(({ headers }) => api.post('/events/', anEvent(), headers)),
    );
    expect(responses.every(({ status }) => status === 202)).toBe(true);
    await worker.start();
    await api.drained();
    const ids = new Set(traces.map(({ traceId }) => traceId));
    const batches = await eventually(() => {
      const found = collector.spans.filter(
        ({ name, links }) => name === 'store events' && ids.has(links[0]?.traceId ?? ''),
      );
      expect(found.length).toBeGreaterThan(0);
      return Promise.resolve(found);
    });
    const linked = batches.flatMap(({ links }) => links.map(({ traceId }) => traceId));
    expect(linked.length).toBeGreaterThan(1);
    expect(linked.every((traceId) => ids.has(traceId))).toBe(true);
    const jobs = batches.reduce(
      (sum, { attributes }) => sum + Number(attributes['messaging.batch.message_count']),
      0,
    );
    expect(linked.length).toBeLessThanOrEqual(jobs * 32);
  });

  it('connect a read request to its SQL statement', async () => {
    const { traceId, headers } = aTrace();
    await api.get('/events/?session_id=session-4711', headers);
    const found = await spansOf(traceId, 'GET /events', 'SELECT events');
    expect(found['SELECT events']?.parentSpanId).toBe(found['GET /events']?.spanId);
  });

  it('are not recorded when the client did not sample the trace', async () => {
    const { traceId, headers } = aTrace();
    headers['traceparent'] = headers['traceparent']?.replace(/01$/, '00') ?? '';
    await api.store(anEvent());
    await api.post('/events/', anEvent(), headers);
    const later = aTrace();
    await api.post('/events/', anEvent(), later.headers);
    await spansOf(later.traceId, 'INSERT events');
    expect(collector.spans.filter((span) => span.traceId === traceId)).toEqual([]);
  });

  it('contain no payloads, API keys or query values', () => {
    expect(collector.text).toContain('POST /events');
    expect(collector.text).not.toMatch(/payload-4711|session-4711/);
    expect(collector.text).not.toContain(key);
  });

  it('are flushed on shutdown, and an unavailable collector does not block the shutdown', async () => {
    const { traceId, headers } = aTrace();
    await api.get('/health/live', headers);
    await api.end();
    expect(collector.spans.map((span) => span.traceId)).toContain(traceId);
    await api.start();
    collector.close();
    await api.store(anEvent());
    expect(await api.end()).toBe(0);
  });
});
