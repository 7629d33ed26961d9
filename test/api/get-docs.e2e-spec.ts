import { runInNewContext } from 'node:vm';
import { anEvent, type EyeResponse, eventually, TheEye } from '../../testing/the-eye.js';
import { Copy } from '../support/replication.js';
import { startEyeWithClickHouse } from '../support/start-eye.js';

const METHODS = ['get', 'post', 'put', 'patch', 'delete', 'head', 'options', 'trace'];

describe('The API documentation', () => {
  let eye: TheEye;
  let document: any;
  beforeAll(async () => {
    eye = await startEyeWithClickHouse();
    document = (await eye.get('/docs-json')).body;
  });
  afterAll(() => eye.close());

  /** [method, path, operation] of every route that is documented. */
  const operations = (): [string, string, any][] =>
    Object.entries<any>(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]): [string, string, any] => [method, path, operation]),
    );

  /** Of the protocol of another system, whose spec has its routes. */
  const isDialect = (operation: any): boolean => operation['x-dialect'] !== undefined;

  const resolve = (ref: string): any =>
    ref
      .replace('#/', '')
      .split('/')
      .reduce((value, step) => value?.[step], document);

  /** The violations of a schema by a value, one message each. */
  const mismatches = (value: any, schema: any, at = 'body'): string[] => {
    if (schema.$ref) return mismatches(value, resolve(schema.$ref), at);
    if (value === null && schema.nullable) return [];
    // A reference with a description.
    if (schema.allOf) return schema.allOf.flatMap((one: any) => mismatches(value, one, at));
    if (schema.oneOf) {
      const fits = schema.oneOf.filter((one: any) => mismatches(value, one, at).length === 0).length;
      return fits === 1 ? [] : [`${at} fits ${fits} of ${schema.oneOf.length}`];
    }
    if (Object.keys(schema).length === 0) return [];
    const type = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
    if (schema.type !== type && !(schema.type === 'integer' && Number.isInteger(value)))
      return [`${at} is no ${schema.type}`];
    if (schema.enum && !schema.enum.includes(value)) return [`${at} is none of ${schema.enum}`];
    if (type === 'array')
      return value.flatMap((item: any, index: number) => mismatches(item, schema.items, `${at}.${index}`));
    if (type !== 'object') return [];
    const missing = (schema.required ?? []).filter((name: string) => !Object.hasOwn(value, name));
    return [
      ...missing.map((name: string) => `${at}.${name} is missing`),
      ...Object.entries(value).flatMap(([name, item]) => {
        const inner = schema.properties?.[name] ?? schema.additionalProperties;
        if (inner === true) return [];
        return inner ? mismatches(item, inner, `${at}.${name}`) : [`${at}.${name} is not documented`];
      }),
    ];
  };

  /** Asserts that the status, content type and body of a response are documented for its route. */
  const expectDocumented = (response: EyeResponse, responses: any): void => {
    const { content } = responses[response.status] ?? {};
    expect({ status: response.status, documented: Object.keys(responses) }).toMatchObject({
      status: expect.anything(),
    });
    const type = response.headers.get('content-type')?.split(';')[0] ?? '';
    expect({ [response.status]: Object.keys(content ?? {}) }).toEqual({
      [response.status]: expect.arrayContaining([type]),
    });
    expect(mismatches(response.body, content[type].schema)).toEqual([]);
  };

  it('serves Swagger UI at GET /docs with every asset that it loads', async () => {
    const page = await eye.get('/docs');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toMatch('text/html');
    expect(page.body).toContain('<title>The Eye: API</title>');
    const loaded = [...page.body.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, file]) => file);
    expect(loaded).toContain('docs/swagger-ui-init.js');
    for (const file of loaded) expect([file, (await eye.get(`/${file}`)).status]).toEqual([file, 200]);
  });

  it('serves the same document as YAML, of which JSON is a part, at GET /docs-yaml', async () => {
    const response = await fetch(`${eye.url}/docs-yaml`);
    expect(response.headers.get('content-type')).toBe('text/yaml; charset=utf-8');
    expect(await response.json()).toEqual(document);
  });

  it('serves an OpenAPI 3 document of every route at GET /docs-json', () => {
    expect(document.openapi).toMatch(/^3\./);
    expect(document.info).toMatchObject({ title: 'The Eye', version: expect.any(String) });
    expect(
      operations()
        .filter(([, , operation]) => !isDialect(operation))
        .map(([method, path]) => `${method} ${path}`)
        .sort(),
    ).toEqual([
      'delete /applications/{name}/keys/{id}',
      'delete /event-types/{category}/{name}',
      'get /applications',
      'get /applications/{name}',
      'get /audit',
      'get /event-types',
      'get /event-types/{category}/{name}',
      'get /event-types/{category}/{name}/suggestion',
      'get /event-types/{category}/{name}/versions',
      'get /events',
      'get /events/export',
      'get /events/stream',
      'get /events/{id}',
      'get /eye.js',
      'get /eye.json',
      'get /health/live',
      'get /health/ready',
      'get /metrics',
      'get /properties',
      'get /rejections',
      'get /rejections/summary',
      'get /rejections/{id}',
      'get /sessions',
      'get /sessions/{session_id}',
      'get /statistics/events',
      'get /statistics/rates',
      'get /statistics/sessions',
      'get /statistics/top',
      'patch /applications/{name}',
      'post /applications',
      'post /applications/{name}/keys',
      'post /event-types/{category}/{name}/check',
      'post /events',
      'post /query',
      'post /rejections/retry',
      'post /rejections/{id}/retry',
      'post /statistics/funnel',
      'post /statistics/paths',
      'post /statistics/retention',
      'put /event-types/{category}/{name}',
    ]);
  });

  it('defines unique operation ids and all path parameters, references and descriptions', () => {
    const ids = operations().map(([, , { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [method, path, operation] of operations()) {
      expect(METHODS).toContain(method);
      expect(operation.summary).toMatch(/\w/);
      const inPath = (operation.parameters ?? []).filter((parameter: any) => parameter.in === 'path');
      expect(inPath.map(({ name }: any) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
      for (const parameter of inPath) expect(parameter.required).toBe(true);
      for (const [status, { description }] of Object.entries<any>(operation.responses)) {
        expect(status).toMatch(/^[2-5]\d\d$/);
        expect(typeof description).toBe('string');
      }
    }
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
      ([, ref]) => ref ?? '',
    );
    expect(references.length).toBeGreaterThan(0);
    for (const ref of references) expect([ref, typeof resolve(ref)]).toEqual([ref, 'object']);
  });

  it('declares the required scope of every route, so that the Authorize button works', () => {
    const { securitySchemes } = document.components;
    expect(securitySchemes).toMatchObject({
      bearer: { type: 'http', scheme: 'bearer' },
      'x-api-key': { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      basic: { type: 'http', scheme: 'basic' },
    });
    for (const [method, path, operation] of operations()) {
      const access = operation['x-access'];
      expect([method, path, access]).toEqual([
        method,
        path,
        expect.stringMatching(/^(ingest|read|admin|metrics|anybody)$/),
      ]);
      const open = access === 'anybody';
      expect(operation.description).toContain(open ? 'Needs no key.' : `Needs a key of scope \`${access}\`.`);
      expect(operation.security).toEqual(
        open ? undefined : Object.keys(securitySchemes).map((name) => ({ [name]: [] })),
      );
      const refusals = ['401', '403', '429'].filter((status) => status in operation.responses);
      // A dialect may report an error by another status.
      if (!isDialect(operation)) expect(refusals).toEqual(open ? ['403', '429'] : ['401', '403', '429']);
    }
  });

  it('declares every error as a problem document with a valid example', () => {
    for (const [method, path, operation] of operations()) {
      if (isDialect(operation)) continue;
      const { responses } = operation;
      const errors = Object.entries<any>(responses).filter(([status]) => Number(status) >= 400);
      if (!path.endsWith('/live')) expect([method, path, errors.length]).not.toEqual([method, path, 0]);
      for (const [status, { content }] of errors) {
        expect(Object.keys(content)).toEqual(['application/problem+json']);
        const { schema, example } = content['application/problem+json'];
        expect(schema).toEqual({ $ref: '#/components/schemas/ProblemResponse' });
        expect(mismatches(example, schema)).toEqual([]);
        expect(example.status).toBe(Number(status));
      }
    }
  });

  it('has event examples that POST /events accepts as "Try it out" sends them', async () => {
    const interceptor = await interceptorOf(eye);
    const { content } = document.paths['/events'].post.requestBody;
    expect(Object.keys(content)).toEqual([
      'application/json',
      'application/*+json',
      'application/x-ndjson',
      'application/ndjson',
      'application/jsonl',
      'application/x-jsonlines',
      'application/cloudevents+json',
      'application/cloudevents-batch+json',
    ]);
    for (const [type, { examples }] of Object.entries<any>(content)) {
      if (!type.includes('cloudevents')) expect(Object.keys(examples)).toEqual(['one', 'many']);
      for (const { value } of Object.values<any>(examples)) {
        const request = interceptor({
          headers: { 'Content-Type': type },
          body: JSON.stringify(value, null, 2),
        });
        const { status, body } = await eye.post('/events/', request.body, { 'content-type': type });
        expect({ status, rejected: body.rejected ?? [] }).toEqual({ status: 202, rejected: [] });
      }
    }
    const typed = '{"session_id":"a"}\n{"session_id":"b"}';
    expect(interceptor({ headers: { 'Content-Type': 'application/x-ndjson' }, body: typed }).body).toBe(
      typed,
    );
  });

  /** The parameters of a GET request with their examples. */
  const exampleQuery = (path: string): URLSearchParams => {
    const given = document.paths[path].get.parameters.flatMap(({ name, schema: { type, example } }: any) => {
      if (example === undefined) return [];
      // Conditions are parameters without fixed names.
      return type === 'object' ? Object.entries(example) : [[name, example]];
    });
    return new URLSearchParams(given);
  };

  it('has path and query examples that find the example event', async () => {
    await eye.store(
      document.paths['/events'].post.requestBody.content['application/json'].examples.one.value,
    );
    const [id] = document.paths['/events/{id}'].get.parameters;
    const found = await eye.get(`/events/${id.schema.example}/`);
    expect(found.status).toBe(200);
    const { properties } = document.components.schemas.EventResponse;
    expect(Object.entries<any>(properties).map(([name, schema]) => [name, schema.example])).toEqual(
      Object.entries(found.body),
    );
    const list = exampleQuery('/events');
    expect([...list.keys()]).toEqual(expect.arrayContaining(['timestamp_before', 'data.path']));
    await eventually(async () => {
      const { body } = await eye.get(`/events/?${list.toString()}`);
      expect(body.results).toContainEqual(found.body);
    });
    const columns = exampleQuery('/events/export');
    expect(columns.get('columns')).toContain('data.path');
    const file = await eye.get(`/events/export?${columns.toString()}`);
    expect(file.body).toContain(found.body.session_id);
  });

  it('describes every response of POST /events to one event and to many', async () => {
    const { responses } = document.paths['/events'].post;
    const event = anEvent();
    const wait = { prefer: 'wait=20' };
    const received = [
      await eye.post('/events/', anEvent()),
      await eye.post('/events/', [anEvent(), {}]),
      await eye.post('/events/', event, wait),
      await eye.post('/events/', [anEvent(), {}], wait),
      await eye.post('/events/', event, wait),
      await eye.post('/events/', [event], wait),
      await eye.post('/events/', {}),
      await eye.post('/events/', 'x'),
      await eye.post('/events/', ' '.repeat(6 * 1024 * 1024)),
      await eye.post(
        '/events/',
        Array.from({ length: 5001 }, () => 0),
      ),
      await eye.post('/events/', 'x', { 'content-type': 'text/plain' }),
    ];
    await eye.redis((redis) => redis.client('PAUSE', 2500, 'WRITE'));
    received.push(await eye.post('/events/', anEvent()));
    for (const response of received) expectDocumented(response, responses);
    expect(received.map(({ status }) => String(status))).toEqual([
      '202',
      '202',
      '201',
      '201',
      '200',
      '200',
      '400',
      '400',
      '413',
      '413',
      '415',
      '503',
    ]);
    // authentication.e2e-spec.ts covers the responses of authentication.
    const authStatuses = ['401', '403', '429'];
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(authStatuses));
    expect(
      Object.keys(responses)
        .filter((status) => !authStatuses.includes(status))
        .sort(),
    ).toEqual([...new Set(received.map(({ status }) => String(status)))].sort());
    await eventually(async () => expect((await eye.post('/events/', anEvent())).status).toBe(202));
  });

  it('describes the responses of GET /events and GET /events/{id}', async () => {
    const { body } = await eye.store([
      anEvent({ session_id: 'said' }),
      anEvent({ session_id: 'said', name: 'other' }),
    ]);
    const list = document.paths['/events'].get.responses;
    const first = await eye.get('/events/?session_id=said&page_size=1');
    expectDocumented(first, list);
    expectDocumented(await eye.get(first.body.next), list);
    expectDocumented(await eye.get('/events/?page_size=0'), list);
    const one = document.paths['/events/{id}'].get.responses;
    expectDocumented(await eye.get(`/events/${body.ids[0]}/`), one);
    expectDocumented(await eye.get('/events/3/'), one);
    expectDocumented(await eye.get('/events/3/?x=1'), one);
  });

  it('describes the responses of GET /events/stream and GET /statistics/rates', async () => {
    const stream = document.paths['/events/stream'].get.responses;
    expectDocumented(await eye.get('/events/stream'), stream);
    expectDocumented(await eye.get('/events/stream?page=1'), stream);
    const rates = document.paths['/statistics/rates'].get.responses;
    expectDocumented(await eye.get('/statistics/rates/'), rates);
    expectDocumented(await eye.get('/statistics/rates/?x=1'), rates);
  });

  it('describes the responses of the rejection routes', async () => {
    const { responses } = document.paths['/rejections'].get;
    const soon = new Date(Date.now() + 301_000).toISOString();
    await eye.post('/events/', [anEvent({ name: '' }), 7, anEvent({ timestamp: soon })]);
    await eventually(async () =>
      expect((await eye.get('/rejections/?code=timestamp_in_future')).body.count).toBe(1),
    );
    const list = await eye.get('/rejections/');
    expectDocumented(list, responses);
    expectDocumented(await eye.get('/rejections/?code=x'), responses);
    const summary = document.paths['/rejections/summary'].get.responses;
    expectDocumented(await eye.get('/rejections/summary/'), summary);
    expectDocumented(await eye.get('/rejections/summary/?from=x'), summary);
    const one = document.paths['/rejections/{id}'].get.responses;
    const [{ id }] = list.body.results;
    expectDocumented(await eye.get(`/rejections/${id}/`), one);
    expectDocumented(await eye.get('/rejections/3/'), one);
    const retry = document.paths['/rejections/{id}/retry'].post.responses;
    const [later] = (await eye.get('/rejections/?code=timestamp_in_future')).body.results;
    const [empty] = (await eye.get('/rejections/?code=empty')).body.results;
    expectDocumented(await eye.post(`/rejections/${empty.id}/retry/`, ''), retry);
    expectDocumented(await eye.post('/rejections/3/retry/', ''), retry);
    const retried = await eventually(async () => {
      const response = await eye.post(`/rejections/${later.id}/retry/`, '');
      expect(response.status).toBe(202);
      return response;
    });
    expectDocumented(retried, retry);
    const many = document.paths['/rejections/retry'].post.responses;
    expectDocumented(await eye.post('/rejections/retry/?code=empty', ''), many);
    expectDocumented(await eye.post('/rejections/retry/?page=1', ''), many);
  });

  it('describes the responses of the statistics routes and has examples that work', async () => {
    for (const path of ['/statistics/events', '/statistics/top']) {
      const { responses } = document.paths[path].get;
      const query = exampleQuery(path);
      expectDocumented(await eye.get(`${path}/?${query.toString()}`), responses);
      expectDocumented(await eye.get(path), responses);
      expectDocumented(await eye.get(`${path}?from=x`), responses);
    }
    const { responses } = document.paths['/statistics/events'].get;
    await eye.store([anEvent({ category: 'one' }), anEvent({ category: 'two' })]);
    for (const group_by of ['application', 'category', 'name', 'type', 'name,data.path']) {
      const response = await eye.get(
        `/statistics/events?from=2021-01-01&to=2021-01-02&limit=1&group_by=${group_by}`,
      );
      expectDocumented(response, responses);
    }
  });

  it('describes the responses of POST /query and has an example that works', async () => {
    const { responses } = document.paths['/query'].post;
    const { properties } = document.components.schemas.QueryDto;
    const body = Object.fromEntries(
      Object.entries<any>(properties).map(([name, { example }]) => [name, example]),
    );
    const now = new Date().toISOString();
    await eye.store(anEvent({ category: 'page interaction', name: 'pageview', timestamp: now }));
    await eventually(async () => {
      const response = await eye.post('/query/', body);
      expectDocumented(response, responses);
      expect(response.body.rows).toHaveLength(1);
    });
    expectDocumented(await eye.post('/query/', { sql: 'SELECT file(1)' }), responses);
    expectDocumented(
      await eye.post('/query/', { sql: 'SELECT range(10000000), range(10000001), range(10000002)' }),
      responses,
    );
  });

  it('describes the responses of the session routes and has examples that work', async () => {
    const list = document.paths['/sessions'].get;
    const examples = new URLSearchParams(
      list.parameters.flatMap(({ name, schema }: any) =>
        typeof schema.example === 'string' ? [[name, schema.example]] : [],
      ),
    );
    await eye.store([
      document.paths['/events'].post.requestBody.content['application/json'].examples.one.value,
      anEvent({ session_id: 'another' }),
    ]);
    await new Copy(eye).caughtUp();
    const one = await eye.get(`/sessions/?${examples.toString()}&page_size=1`);
    expect(one.body.results).toHaveLength(1);
    expectDocumented(one, list.responses);
    expectDocumented(await eye.get('/sessions?page=1'), list.responses);
    const statistics = document.paths['/statistics/sessions'].get;
    const measured = await eye.get(
      '/statistics/sessions?from=2021-01-01&to=2021-01-02&interval=day&group_by=entry&compare=previous',
    );
    expect(measured.body.series).not.toHaveLength(0);
    expectDocumented(measured, statistics.responses);
    expectDocumented(await eye.get('/statistics/sessions?limit=0'), statistics.responses);
    const { parameters, responses } = document.paths['/sessions/{session_id}'].get;
    const { example } = parameters.find(({ name }: any) => name === 'session_id').schema;
    const found = await eye.get(`/sessions/${example}/`);
    expect(found.body.results).not.toHaveLength(0);
    for (const response of [found, await eye.get('/sessions/nobody')]) expectDocumented(response, responses);
  });

  it('describes the responses of the routes about steps and has examples that work', async () => {
    for (const [route, name, invalid] of [
      ['funnel', 'FunnelDto', { window: 0 }],
      ['retention', 'RetentionDto', { periods: 0 }],
      ['paths', 'PathsDto', { depth: 0 }],
    ] as const) {
      const { responses } = document.paths[`/statistics/${route}`].post;
      const properties = Object.entries<any>(document.components.schemas[name].properties);
      const body = Object.fromEntries(
        properties.flatMap(([field, { example }]) => (example === undefined ? [] : [[field, example]])),
      );
      expectDocumented(await eye.post(`/statistics/${route}/`, body), responses);
      expectDocumented(await eye.post(`/statistics/${route}/`, { ...body, ...invalid }), responses);
    }
  });

  it('describes the responses of the event type routes and has examples that work', async () => {
    const route = '/event-types/{category}/{name}';
    const responses = (path: string, method: string): any => document.paths[path][method].responses;
    const type = document.paths[route].put.parameters
      .filter((parameter: any) => parameter.in === 'path')
      .map(({ schema }: any) => encodeURIComponent(schema.example));
    const path = `/event-types/${type.join('/')}`;
    const { PutEventTypeDto, CheckSchemaDto } = document.components.schemas;
    const put = (body: unknown): Promise<EyeResponse> =>
      eye.request('PUT', path, {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      });
    const schema = PutEventTypeDto.properties.schema.example;
    for (const mode of PutEventTypeDto.properties.mode.enum)
      expectDocumented(await put({ schema, mode }), responses(route, 'put'));
    expectDocumented(await put({}), responses(route, 'put'));
    // The example event matches the example schema.
    const { one } = document.paths['/events'].post.requestBody.content['application/json'].examples;
    await eye.store(one.value);
    const check = await eye.post(`${path}/check`, {
      schema: CheckSchemaDto.properties.schema.example,
      limit: 1,
    });
    expect(check.body).toEqual({ examined: 1, refused: 0, examples: [] });
    expectDocumented(check, responses(`${route}/check`, 'post'));
    const refusing = await eye.post(`${path}/check`, { schema: { maxProperties: 0 } });
    expect(refusing.body.refused).toBeGreaterThan(0);
    expectDocumented(refusing, responses(`${route}/check`, 'post'));
    for (const [tail, of] of [
      ['', ''],
      ['/versions', '/versions'],
      ['/versions?limit=1', '/versions'],
      ['/suggestion', '/suggestion'],
    ])
      expectDocumented(await eye.get(`${path}${tail}`), responses(`${route}${of}`, 'get'));
    expectDocumented(await eye.get('/event-types'), responses('/event-types', 'get'));
    expect((await eye.request('DELETE', path)).status).toBe(204);
    expect(Object.keys(responses(route, 'delete'))).toContain('204');
    expectDocumented(await eye.request('DELETE', path), responses(route, 'delete'));
    expectDocumented(await eye.get(`${path}/versions`), responses(`${route}/versions`, 'get'));
  });
});

type Interceptor = (request: { headers: Record<string, string>; body: string }) => { body: string };

/** The request interceptor of Swagger UI, extracted from the script that the browser runs. */
async function interceptorOf(eye: TheEye): Promise<Interceptor> {
  const { body: script } = await eye.get('/docs/swagger-ui-init.js');
  let options: { requestInterceptor?: Interceptor } = {};
  const bundle = Object.assign((given: typeof options) => (options = given), { presets: {}, plugins: {} });
  const window: { onload?: () => void; location: { search: string } } = { location: { search: '' } };
  runInNewContext(script, { window, SwaggerUIBundle: bundle, SwaggerUIStandalonePreset: {} });
  window.onload?.();
  if (options.requestInterceptor === undefined) throw new Error('Swagger UI has no interceptor.');
  return options.requestInterceptor;
}
