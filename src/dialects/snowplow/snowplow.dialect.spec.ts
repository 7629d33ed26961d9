import type { FastifyRequest } from 'fastify';
import fc from 'fast-check';
import { DomainError } from '../../platform/errors/domain-error.js';
import { bodyTooLarge, unsupportedMediaType } from '../../platform/http/http-errors.js';
import { isUntranslatable, type RenderError, type Translation } from '../dialect.js';
import { readTranslated } from '../read-item.js';
import { translateItem } from '../read-item.js';
import { SNOWPLOW } from './snowplow.dialect.js';

const KEY = `eye_ingest_${'k'.repeat(42)}A`;

const EVENT = {
  schema: 'iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0',
  data: {
    schema: 'iglu:com.example/order_completed/jsonschema/1-0-0',
    data: { price: 9.99, text: 'Grüße 🎉', nested: { list: [1, 2.5, null] } },
  },
};
const CONTEXTS = {
  schema: 'iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0',
  data: [
    { schema: 'iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0', data: { id: 'page-1' } },
    {
      schema: 'iglu:com.snowplowanalytics.snowplow/client_session/jsonschema/1-0-2',
      data: { sessionId: 'session-of-context', userId: 'u' },
    },
  ],
};
const COMMON = { eid: 'event-1', aid: 'shop', dtm: '1795872694368', stm: '1795872694486', sid: 'session-1' };

const base64url = (text: string): string => Buffer.from(text).toString('base64url');
const encoded = (value: unknown): string => base64url(JSON.stringify(value));

const renderError = SNOWPLOW.renderError as RenderError;

const translate = (item: unknown): any => translateItem(SNOWPLOW, item);

async function open(
  body: string,
  more: Partial<FastifyRequest> = {},
): Promise<{ items: unknown; key: unknown }> {
  const { items, key } = await SNOWPLOW.open(Buffer.from(body), {
    method: 'POST',
    ...more,
  } as FastifyRequest);
  return { items: JSON.parse(items.toString()) as unknown, key };
}

describe('An item of Snowplow', () => {
  it.each([
    ['as a text', { ue_pr: JSON.stringify(EVENT), co: JSON.stringify(CONTEXTS) }],
    ['as base64url', { ue_px: encoded(EVENT), cx: encoded(CONTEXTS) }],
    [
      'as base64 with padding',
      { ue_px: Buffer.from(JSON.stringify(EVENT)).toString('base64'), cx: encoded(CONTEXTS) },
    ],
  ])('holds its self-describing event and its contexts decoded, if they come %s', (_, packed) => {
    expect(translate({ e: 'ue', ...COMMON, ...packed })).toEqual({
      session_id: 'session-1',
      category: 'com.example',
      name: 'order_completed',
      data: {
        e: 'ue',
        eid: 'event-1',
        aid: 'shop',
        dtm: '1795872694368',
        sid: 'session-1',
        ue_pr: EVENT,
        co: CONTEXTS,
      },
      timestamp: '2026-11-28T13:31:34.368000Z',
      id: 'event-1',
      sentAt: 1_795_872_694_486,
    });
  });

  it.each([
    ['pv', { page: 'A title', url: 'https://shop.example/cart' }, 'page view', 'page_view'],
    ['pp', {}, 'page ping', 'page_ping'],
    ['se', { se_ca: 'cart', se_ac: 'add', se_la: 'shoes' }, 'cart', 'add'],
    ['tr', { tr_id: '1' }, 'transaction', 'transaction'],
    ['ti', { ti_id: '1' }, 'transaction', 'transaction_item'],
  ])('of type %s has a type of its own, and keeps its members as texts', (e, members, category, name) => {
    const kept: Record<string, string> = { ...COMMON };
    delete kept.stm;
    expect(translate({ e, ...COMMON, ...members })).toMatchObject({
      category,
      name,
      data: { e, ...kept, ...members },
    });
  });

  it.each([
    [{ sid: 's', duid: 'd', uid: 'u' }, 's'],
    [{ co: JSON.stringify(CONTEXTS), duid: 'd' }, 'session-of-context'],
    [{ duid: 'd', nuid: 'n', uid: 'u' }, 'd'],
    [{ nuid: 'n', uid: 'u' }, 'n'],
    [{ uid: 'u' }, 'u'],
    [{ sid: '', uid: 7 }, '7'],
  ])('belongs with %j to the session %s', (members, session) => {
    expect(translate({ e: 'pv', eid: 'event-1', ...members })).toMatchObject({ session_id: session });
  });

  it('takes the true timestamp before that of the device, and none if there is neither', () => {
    expect(translate({ e: 'pv', ...COMMON, ttm: '0' }).timestamp).toBe('1970-01-01T00:00:00.000000Z');
    expect(translate({ e: 'pv', sid: 's' }).timestamp).toBeUndefined();
  });

  it('is the same when it is sent again, because the time of sending is left out', () => {
    const [first, second] = ['1', '2'].map((stm) => translate({ e: 'pv', ...COMMON, stm }));
    expect({ ...first, sentAt: 0 }).toEqual({ ...second, sentAt: 0 });
  });

  it('is cut in its name and its session, and whole in `data`', () => {
    const long = 'a'.repeat(300);
    const { name, session_id, data } = translate({ e: 'se', ...COMMON, sid: long, se_ca: 'c', se_ac: long });
    expect(name).toBe(long.slice(0, 255));
    expect(session_id).toMatch(/^a{232}~/);
    expect(data).toMatchObject({ sid: long, se_ac: long });
  });

  const many = (count: number): string => '['.repeat(count) + ']'.repeat(count);

  it.each([
    ['no object', 7, 'wrong_type', 'event'],
    ['no type', { e: undefined }, 'missing_field', 'e'],
    ['an unknown type', { e: 'xx' }, 'wrong_type', 'e'],
    ['a type that every object has', { e: '__proto__' }, 'wrong_type', 'e'],
    ['no session', { sid: undefined }, 'missing_field', 'sid'],
    ['no category', { e: 'se', se_ac: 'a' }, 'missing_field', 'se_ca'],
    ['no action', { e: 'se', se_ca: 'c' }, 'missing_field', 'se_ac'],
    ['no event', { e: 'ue' }, 'missing_field', 'ue_pr'],
    ['an event that is no text', { e: 'ue', ue_pr: EVENT }, 'missing_field', 'ue_pr'],
    ['malformed JSON', { e: 'ue', ue_pr: '{"schema":' }, 'wrong_type', 'ue_pr'],
    ['malformed base64', { e: 'ue', ue_px: 'e30!' }, 'wrong_type', 'ue_px'],
    ['malformed JSON in base64', { e: 'ue', ue_px: encoded(EVENT).slice(0, -9) }, 'wrong_type', 'ue_px'],
    ['bytes that are not UTF-8', { e: 'ue', ue_px: '_w' }, 'wrong_type', 'ue_px'],
    ['malformed contexts', { cx: 'e30!' }, 'wrong_type', 'cx'],
    ['contexts that are no object', { co: '[]' }, 'wrong_type', 'co'],
    ['a number that is not exact', { co: '{"n":9007199254740993}' }, 'not_exact', 'co.n'],
    ['a member that stands twice', { co: '{"n":1,"n":2}' }, 'not_exact', 'co.n'],
    ['deep JSON', { co: `{"a":${many(200_000)}}` }, 'too_deep', 'co.a'],
    [
      'an event without a schema',
      { e: 'ue', ue_pr: '{"data":{"data":{}}}' },
      'missing_field',
      'ue_pr.data.schema',
    ],
    [
      'an event with another address',
      { e: 'ue', ue_pr: '{"data":{"schema":"https://example.com"}}' },
      'wrong_type',
      'ue_pr.data.schema',
    ],
  ])('is refused with %s', (_, members, code, field) => {
    const item = typeof members === 'object' ? { e: 'pv', ...COMMON, ...members } : members;
    const { code: found, errors } = translate(item);
    expect({ code: found, fields: Object.keys(errors ?? {}) }).toEqual({ code, fields: [field] });
  });

  it('never makes the translation throw, whatever it is', () => {
    const member = fc.constantFrom(
      'e',
      'eid',
      'sid',
      'dtm',
      'ttm',
      'stm',
      'ue_pr',
      'ue_px',
      'co',
      'cx',
      'se_ca',
      '__proto__',
    );
    const value = fc.oneof(
      fc.jsonValue(),
      fc.json(),
      fc.json().map(base64url),
      fc.constantFrom('ue', 'se', 'pv'),
    );
    const checkType = (): undefined => undefined;
    fc.assert(
      fc.property(fc.oneof(fc.dictionary(member, value), fc.jsonValue()), (item) => {
        const translation: Translation = translateItem(SNOWPLOW, item);
        if (!isUntranslatable(translation))
          expect(readTranslated(translation, undefined, { application: 'a', checkType })).toHaveProperty(
            'outcome',
          );
      }),
    );
  });
});

describe('A request of Snowplow', () => {
  it('holds its items in `data`, and may hold the key in their application id', async () => {
    const body = JSON.stringify({
      schema: 'iglu:…',
      data: [
        { e: 'pv', aid: KEY },
        { e: 'pp', aid: KEY },
      ],
    });
    expect(await open(body)).toEqual({
      items: [
        { e: 'pv', aid: '' },
        { e: 'pp', aid: '' },
      ],
      key: KEY,
    });
    expect(translate({ e: 'pv', ...COMMON, aid: '' }).data).not.toHaveProperty('aid');
  });

  it('keeps an application id that is no key', async () => {
    const items = [{ e: 'pv', aid: 'eye_shop', co: JSON.stringify({ aid: KEY.slice(1) }) }];
    expect(await open(JSON.stringify({ data: items }))).toEqual({ items, key: undefined });
  });

  it('is one item if it is a GET, without the key', async () => {
    const get = (query: object) => open('', { method: 'GET', query });
    const parameters = { e: 'pv', eid: '1', url: ['a', 'b'] };
    expect(await get({ ...parameters, aid: 'shop', key: KEY })).toEqual({
      items: { ...parameters, aid: 'shop' },
      key: undefined,
    });
    expect(await get({ ...parameters, aid: KEY })).toEqual({
      items: { ...parameters, aid: '' },
      key: undefined,
    });
  });

  it.each(['{}', '[]', '[{"e":"pv"}]', '{"e":"pv"}', '{"data":{"e":"pv"}}', '7', '{"data":[', ''])(
    'is refused if its body is %s',
    async (body) => {
      const error: unknown = await open(body).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(DomainError);
      expect(renderError(error as DomainError)).toMatchObject({ status: 400 });
    },
  );

  it.each([
    ['is too large', bodyTooLarge()],
    ['has an unknown type', unsupportedMediaType('a/b')],
  ])('is not repeated for ever if its body %s', (_, error) => {
    const { status, body } = renderError(error);
    expect({ status, body }).toEqual({ status: 422, body: { code: error.code, message: error.message } });
  });
});
