import fc from 'fast-check';
import type { FastifyRequest } from 'fastify';
import { DomainError } from '../../platform/errors/domain-error.js';
import { isUntranslatable, type Message } from '../dialect.js';
import { translateItem } from '../read-item.js';
import { POSTHOG } from './posthog.dialect.js';

const EVENT = {
  event: 'Order Completed',
  uuid: '7e5c4aa5-3643-452c-b6c9-d8dce3d6aaee',
  distinct_id: 'user-1',
  timestamp: '2026-01-31T09:15:29.243Z',
  properties: { price: 9.99, $session_id: 'session-1' },
};

function open(
  body: unknown,
  query: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Promise<Message> {
  const bytes =
    body instanceof Buffer ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return Promise.resolve(POSTHOG.open(bytes, { query, headers } as FastifyRequest));
}

const itemsOf = ({ items }: Message): unknown => JSON.parse(items.toString());

const formOf = (value: unknown): string =>
  `data=${encodeURIComponent(Buffer.from(JSON.stringify(value)).toString('base64'))}`;

describe('A request in the protocol of PostHog', () => {
  it.each([
    ['an object with a batch', { api_key: 'key', batch: [EVENT, EVENT] }, [EVENT, EVENT]],
    ['an object with data', { token: 'key', data: [EVENT] }, [EVENT]],
    [
      'a bare array',
      [{ ...EVENT, properties: { token: 'key' } }],
      [{ ...EVENT, properties: { token: 'key' } }],
    ],
    ['one event', { ...EVENT, api_key: 'key' }, { ...EVENT, api_key: 'key' }],
    [
      'one event with the key in its properties',
      { ...EVENT, properties: { token: 'key' } },
      { ...EVENT, properties: { token: 'key' } },
    ],
    ['a batch of events with keys', { batch: [{ ...EVENT, token: 'key' }] }, [{ ...EVENT, token: 'key' }]],
  ])('is opened if it is %s, as JSON and as a form', async (_, body, items) => {
    for (const sent of [body, formOf(body), `data=${encodeURIComponent(JSON.stringify(body))}`]) {
      const message = await open(sent);
      expect(itemsOf(message)).toEqual(items);
      expect(message.key).toBe('key');
    }
  });

  it('is opened if the base64 of its form is not percent-encoded', async () => {
    // Its base64 holds plus signs, which a form parser reads as blanks.
    const body = { api_key: 'key', batch: [{ ...EVENT, event: '>>>???>>>' }] };
    const base64 = Buffer.from(JSON.stringify(body)).toString('base64');
    expect(base64).toContain('+');
    expect(itemsOf(await open(`data=${base64}&compression=base64`))).toEqual(body.batch);
  });

  it('keeps the emoji of old browsers, whose surrogates are encoded one by one', async () => {
    const cesu8 = Buffer.from([0xed, 0xa0, 0xbc, 0xed, 0xbe, 0x89]);
    const [before, after] = JSON.stringify([{ ...EVENT, event: 'X' }]).split('X') as [string, string];
    const body = Buffer.concat([Buffer.from(before), cesu8, Buffer.from(after)]);
    for (const sent of [body, `data=${body.toString('base64')}`])
      expect(itemsOf(await open(sent))).toEqual([{ ...EVENT, event: '🎉' }]);
  });

  it('says when it was sent in its body, its headers or its address', async () => {
    const sentAt = Date.parse('2026-01-31T09:15:30.123Z');
    const timeOf = async (...given: Parameters<typeof open>): Promise<unknown> =>
      (await open(...given)).sentAt;
    const batch: unknown[] = [];
    expect(await timeOf({ batch, sent_at: '2026-01-31T09:15:30.123456+00:00' })).toBe(sentAt);
    expect(await timeOf({ batch }, {}, { 'posthog-request-timestamp': '2026-01-31T09:15:30.123Z' })).toBe(
      sentAt,
    );
    expect(await timeOf([], { _: String(sentAt) })).toBe(sentAt);
    expect(await timeOf([], { sent_at: String(sentAt) })).toBe(sentAt);
    expect(await timeOf([], { _: ['1', '2'], sent_at: 'now' })).toBeUndefined();
  });

  it.each([
    ['nothing', '', 'empty_body'],
    ['text', 'hello', 'malformed_form'],
    ['a form without data', 'a=b', 'malformed_form'],
    ['a form with data twice', 'data=e30&data=e30', 'malformed_form'],
    ['a form with something else in base64', 'data=aGVsbG8', 'malformed_json'],
    ['an envelope that ends too early', '{"api_key":"key","batch":[]', 'malformed_json'],
    ['two batches', '{"batch":[],"batch":[]}', 'malformed_json'],
    ['compressed by lz64', 'data=NobwRAdghgtgp&compression=lz64', 'unsupported_media_type'],
  ])('is refused if it is %s', async (_, body, code) => {
    await expect(open(body)).rejects.toMatchObject({ code });
  });

  it('is refused by name if its address says that it is compressed by lz64', async () => {
    await expect(open('NobwRAdghgtgp', { compression: 'lz64' })).rejects.toMatchObject({
      message: expect.stringContaining('lz64'),
    });
  });

  it('finds the key of ten thousand events in the first of them', async () => {
    const many = Array.from({ length: 10_000 }, () => ({ event: 'a', properties: { token: 'key' } }));
    expect((await open(many)).key).toBe('key');
  });

  it('fails with nothing but domain errors, whatever its bytes are', async () => {
    const anyBody = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
      fc.json().map((text) => Buffer.from(`data=${Buffer.from(text).toString('base64')}`)),
      fc.jsonValue().map((batch) => Buffer.from(JSON.stringify({ batch, data: batch, properties: batch }))),
    );
    await fc.assert(
      fc.asyncProperty(anyBody, async (body) => {
        const failure: unknown = await open(body).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (failure !== undefined) expect(failure).toBeInstanceOf(DomainError);
      }),
    );
  });
});

describe('An event in the protocol of PostHog', () => {
  const translated = (fields: Record<string, unknown>): any =>
    translateItem(POSTHOG, { ...EVENT, ...fields });

  it('becomes an event of its session, with everything that was sent in its data', () => {
    expect(translateItem(POSTHOG, EVENT)).toEqual({
      session_id: 'session-1',
      category: 'track',
      name: 'Order Completed',
      data: EVENT,
      timestamp: '2026-01-31T09:15:29.243Z',
      id: EVENT.uuid,
      sentAt: undefined,
    });
  });

  it('is one of category posthog if PostHog defines it', () => {
    expect(translated({ event: '$pageview' })).toMatchObject({ category: 'posthog', name: '$pageview' });
    expect(translated({ event: '$identify', $set: { plan: 'pro' } })).toMatchObject({
      category: 'posthog',
      name: '$identify',
      data: { $set: { plan: 'pro' } },
    });
  });

  it.each([
    [{ properties: { $session_id: 'a', distinct_id: 'd' }, session_id: 'b', distinct_id: 'c' }, 'a'],
    [{ properties: { distinct_id: 'd' }, session_id: 'b', distinct_id: 'c' }, 'b'],
    [{ properties: { distinct_id: 'd' }, distinct_id: 'c' }, 'c'],
    [{ properties: { distinct_id: 'd' }, distinct_id: undefined }, 'd'],
    [{ properties: null, distinct_id: undefined, $distinct_id: 'e' }, 'e'],
    [{ properties: [], distinct_id: 7 }, '7'],
    [{ properties: { $session_id: null }, distinct_id: '', session_id: 'b' }, 'b'],
  ])('of %j belongs to the session %s', (fields, session) => {
    expect(translated(fields).session_id).toBe(session);
  });

  it.each([
    [{ timestamp: '2026-01-31T09:15:29.243000123+01:00' }, '2026-01-31T09:15:29.243000+01:00'],
    [{ timestamp: 1_769_850_929_243 }, '2026-01-31T09:15:29.243000Z'],
    [{ timestamp: undefined, properties: { $time: 1_769_850_929.243 } }, '2026-01-31T09:15:29.243000Z'],
    [{ timestamp: null, properties: { $time: '1769850929' } }, undefined],
    [{ timestamp: 'yesterday' }, 'yesterday'],
    [{ timestamp: 1e300 }, '1e+300'],
  ])('of %j happened at %s', (fields, timestamp) => {
    expect(translated(fields).timestamp).toBe(timestamp);
  });

  it('is known by its uuid, or else by its insert id', () => {
    expect(translated({ uuid: undefined, properties: { $insert_id: 'i' } }).id).toBe('i');
    expect(translated({ uuid: undefined }).id).toBeUndefined();
  });

  it('has neither the key in its data nor what changes when it is sent again', () => {
    const sent = {
      ...EVENT,
      api_key: 'a',
      token: 'b',
      $token: 'c',
      sent_at: '2026-01-31T09:15:30Z',
      properties: { ...EVENT.properties, token: 'd' },
    };
    expect(translated(sent)).toMatchObject({ sentAt: Date.parse('2026-01-31T09:15:30Z') });
    expect(translated(sent).data).toEqual(EVENT);
  });

  it('keeps names and ids beyond the limits whole in its data', () => {
    const long = '🎉'.repeat(300);
    const { session_id, name, data } = translated({ event: long, distinct_id: long, properties: {} });
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(800);
    expect(long.startsWith(name)).toBe(true);
    expect(Array.from(session_id).length).toBeLessThanOrEqual(255);
    expect(data).toMatchObject({ event: long, distinct_id: long });
  });

  it.each([
    [{ event: undefined }, 'missing_field', 'event'],
    [{ event: '' }, 'empty', 'event'],
    [{ event: { name: 'x' } }, 'wrong_type', 'event'],
    [{ distinct_id: undefined, properties: {} }, 'missing_field', 'distinct_id'],
    [{ distinct_id: { a: 1 }, properties: 'x' }, 'missing_field', 'distinct_id'],
  ])('of %j is refused in words of its protocol, and named by its id', (fields, code, field) => {
    expect(translated(fields)).toMatchObject({
      code,
      id: EVENT.uuid,
      errors: { [field]: [expect.any(String)] },
    });
  });

  it('is translated or refused, whatever its members are, and keeps all members but those of transport', () => {
    const value = fc.jsonValue({ maxDepth: 2 });
    const names = [
      'event',
      'uuid',
      'distinct_id',
      'timestamp',
      'session_id',
      '__proto__',
      'constructor',
      '$set',
    ];
    const properties = fc.oneof(
      value,
      fc.dictionary(fc.constantFrom('$session_id', '$time', 'x', '__proto__'), value),
    );
    const item = fc.oneof(
      value,
      fc
        .tuple(fc.dictionary(fc.constantFrom(...names), value, { noNullPrototype: true }), properties)
        .map(([members, own]) => ({ ...EVENT, ...members, properties: own })),
    );
    fc.assert(
      fc.property(item, (any) => {
        const sent: unknown = JSON.parse(JSON.stringify(any));
        const translation = translateItem(POSTHOG, sent);
        if (!isUntranslatable(translation)) expect(translation.data).toEqual(sent);
      }),
    );
  });
});

describe('An error in the protocol of PostHog', () => {
  const render = (kind: DomainError['kind']): unknown =>
    POSTHOG.renderError?.(new DomainError(kind, 'code', 'Reason.'));

  it('has a status after which posthog-js loses nothing that could be stored later', () => {
    for (const kind of ['rate_limited', 'unavailable', 'timeout'] as const)
      expect(render(kind)).toMatchObject({ status: 503 });
  });

  it('reports other errors by their own status', () => {
    expect(render('unauthenticated')).toEqual({
      status: 401,
      contentType: 'application/json; charset=utf-8',
      body: { type: 'authentication_error', code: 'code', detail: 'Reason.', attr: null },
    });
    expect(render('too_large')).toMatchObject({ status: 413, body: { type: 'validation_error' } });
    expect(render('internal')).toMatchObject({ status: 500, body: { type: 'server_error' } });
  });
});
