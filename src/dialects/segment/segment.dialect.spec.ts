import fc from 'fast-check';
import type { FastifyRequest } from 'fastify';
import { InvalidFieldsError, UnavailableError } from '../../platform/errors/domain-error.js';
import { isUntranslatable, type Message, type TranslatedEvent } from '../dialect.js';
import { translateItem } from '../read-item.js';
import { SEGMENT } from './segment.dialect.js';

const request = (url: string, params: object = {}): FastifyRequest =>
  ({ routeOptions: { url }, params }) as unknown as FastifyRequest;

const open = async (body: unknown, url = '/v1/batch', params = {}): Promise<Message> =>
  SEGMENT.open(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), request(url, params));

const itemsOf = async (...parameters: Parameters<typeof open>): Promise<unknown> =>
  JSON.parse((await open(...parameters)).items.toString());

const translated = (item: unknown): TranslatedEvent => {
  const translation = translateItem(SEGMENT, item);
  if (isUntranslatable(translation)) throw new Error(JSON.stringify(translation));
  return translation;
};

const TRACK = {
  type: 'track',
  event: 'Order Completed',
  anonymousId: 'anon',
  messageId: 'id',
  timestamp: '2026-11-28T13:25:39.435Z',
};

describe('Segment’s protocol', () => {
  describe('opens', () => {
    it('a batch with its key and the time at which it was sent', async () => {
      const sentAt = '2026-11-28T13:25:39.453Z';
      const { items, ...rest } = await open({ batch: [TRACK, TRACK], writeKey: 'key', sentAt });
      expect(JSON.parse(items.toString())).toEqual([TRACK, TRACK]);
      expect(rest).toEqual({ key: 'key', sentAt: Date.parse(sentAt) });
    });

    it.each([
      ['/v1/track', {}, 'track'],
      ['/v1/t', {}, 'track'],
      ['/v1/p', {}, 'page'],
      ['/v1/s', {}, 'screen'],
      ['/v1/i', {}, 'identify'],
      ['/v1/g', {}, 'group'],
      ['/v1/a', {}, 'alias'],
      ['/api/s/:type', { type: 'identify' }, 'identify'],
      ['/api/s/s2s/:type', { type: 'page' }, 'page'],
    ])('a single event without a type at %s with %j as one of type %s', async (url, params, type) => {
      expect(await itemsOf({ userId: 'a' }, url, params)).toEqual({ type, userId: 'a' });
      expect(await itemsOf({ userId: 'a', type: 'group' }, url, params)).toEqual({
        userId: 'a',
        type: 'group',
      });
    });

    it.each([
      ['a batch', { batch: [{ userId: 'a' }] }, [{ userId: 'a' }]],
      ['an array', [{ userId: 'a' }], [{ userId: 'a' }]],
      ['an empty object', {}, {}],
      ['an event whose type is null', { type: null, userId: 'a' }, { type: null, userId: 'a' }],
    ])('%s as it is, although the path names a type', async (_, body, items) => {
      expect(await itemsOf(body, '/v1/track')).toEqual(items);
    });

    it('an event at a path without a type as it is', async () => {
      expect(await itemsOf({ userId: 'a' }, '/v1/batch')).toEqual({ userId: 'a' });
      expect(await itemsOf({ userId: 'a' }, '/api/s/:type', { type: 'constructor' })).toEqual({
        userId: 'a',
      });
    });

    it('ten thousand events without parsing them', async () => {
      const { items } = await open({ batch: Array.from({ length: 10_000 }, () => TRACK) });
      expect(items.toString().match(/"track"/g)).toHaveLength(10_000);
    });

    it.each(['', '{', '{"batch":[}', '{"batch":[],"batch":[]}', 'null]'])(
      'nothing but JSON: %j is refused, now or when it is read',
      async (body) => {
        const opened = open(body).then(({ items }) => JSON.parse(items.toString()) as unknown);
        await expect(opened).rejects.toThrow();
      },
    );
  });

  describe('translates', () => {
    it('a track call', () => {
      const item = {
        ...TRACK,
        properties: { price: 9.99 },
        context: { ip: '203.0.113.7' },
        integrations: {},
      };
      expect(translated(item)).toEqual({
        session_id: 'anon',
        category: 'track',
        name: 'Order Completed',
        data: item,
        timestamp: '2026-11-28T13:25:39.435Z',
        id: 'id',
        sentAt: undefined,
      });
    });

    it.each([
      ['page', { name: 'Home', category: 'Shop', properties: { name: 'Other', path: '/' } }, 'Home'],
      ['page', { properties: { name: 'Home', path: '/' } }, 'Home'],
      ['page', { properties: { path: '/carts/7', url: 'https://shop.example/carts/7' } }, 'page'],
      ['screen', { name: 'Cart' }, 'Cart'],
      ['screen', { properties: null }, 'screen'],
      ['identify', { traits: { name: 'Ada' }, name: 'Ada' }, 'identify'],
      ['group', { groupId: 'g' }, 'group'],
      ['alias', { previousId: 'p' }, 'alias'],
      ['track', { event: 7 }, '7'],
    ])('a call of type %s with %j into an event named %s', (type, more, name) => {
      const item = { type, anonymousId: 'anon', ...more };
      expect(translated(item)).toMatchObject({ category: type, name, data: item });
    });

    it.each([
      ['the visitor', { anonymousId: 'anon', userId: 'user' }, 'anon'],
      ['the user without a visitor', { anonymousId: null, userId: 'user' }, 'user'],
      ['the user of an empty visitor', { anonymousId: '', userId: 5 }, '5'],
      [
        'the visit of RudderStack',
        { anonymousId: 'anon', context: { sessionId: 17958726825 } },
        'anon:17958726825',
      ],
      ['a context that is none', { anonymousId: 'anon', context: [1] }, 'anon'],
      ['a visit that is none', { anonymousId: 'anon', context: { sessionId: {} } }, 'anon'],
    ])('%s into the session', (_, more, session) => {
      expect(translated({ type: 'page', ...more }).session_id).toBe(session);
    });

    it('an id beyond the limits into a session of its own, and a long name cut, and keeps both whole', () => {
      const [one, other] = ['a', 'b'].map((end) =>
        translated({ ...TRACK, anonymousId: 'x'.repeat(300) + end }),
      );
      expect(one?.session_id).toHaveLength(255);
      expect(one?.session_id).not.toBe(other?.session_id);
      const event = '🎉'.repeat(300);
      const { name, data } = translated({ ...TRACK, event });
      expect(event.startsWith(name as string)).toBe(true);
      expect(Buffer.byteLength(name as string)).toBeLessThanOrEqual(800);
      expect(data.event).toBe(event);
    });

    it.each([
      ['as it was sent', { timestamp: '2026-11-28T13:41:13.091+00:00' }, '2026-11-28T13:41:13.091+00:00'],
      ['to microseconds', { timestamp: '2026-11-28T13:41:13.123456789Z' }, '2026-11-28T13:41:13.123456Z'],
      ['in milliseconds', { timestamp: 1795873273091 }, '2026-11-28T13:41:13.091000Z'],
      ['of RudderStack', { originalTimestamp: '2026-01-01T00:00:00Z' }, '2026-01-01T00:00:00Z'],
      [
        'that the application says, not that of the call',
        { timestamp: '2020-01-01T00:00:00Z', originalTimestamp: '2026-01-01T00:00:00Z' },
        '2020-01-01T00:00:00Z',
      ],
      ['that is missing', { timestamp: null }, undefined],
    ])('a time %s', (_, times, expected) => {
      expect(translated({ ...TRACK, timestamp: undefined, ...times }).timestamp).toBe(expected);
    });

    it('an item without its key, and without what changes when it is sent again', () => {
      const first = { ...TRACK, writeKey: 'key', sentAt: '2026-11-28T13:25:40Z' };
      const again = { ...TRACK, sentAt: '2026-11-28T13:25:50Z', _metadata: { retryCount: 2 } };
      expect(translated(first).data).toEqual(TRACK);
      expect(translated(again).data).toEqual(TRACK);
      expect(translated(first).sentAt).toBe(Date.parse(first.sentAt));
      const metadata = { bundled: ['Segment.io'], retryCount: 1, failedInitializations: ['x'] };
      expect(translated({ ...TRACK, _metadata: metadata }).data).toEqual({
        ...TRACK,
        _metadata: { bundled: ['Segment.io'] },
      });
    });

    it.each([
      [7, 'wrong_type', 'event'],
      [[TRACK], 'wrong_type', 'event'],
      [null, 'wrong_type', 'event'],
      [{ ...TRACK, type: undefined }, 'missing_field', 'type'],
      [{ ...TRACK, type: 'delete' }, 'wrong_type', 'type'],
      [{ ...TRACK, type: ['track'] }, 'wrong_type', 'type'],
      [{ ...TRACK, event: undefined }, 'missing_field', 'event'],
      [{ ...TRACK, event: '' }, 'missing_field', 'event'],
      [{ ...TRACK, event: { name: 'a' } }, 'wrong_type', 'event'],
      [{ ...TRACK, anonymousId: null }, 'missing_field', 'anonymousId'],
      [{ ...TRACK, anonymousId: { id: 'a' } }, 'missing_field', 'anonymousId'],
    ])('nothing of %j, and says %s of %s', (item, code, field) => {
      expect(translateItem(SEGMENT, item)).toMatchObject({ code, errors: { [field]: [expect.any(String)] } });
    });

    it('every item whatever it is, and the same into the same', () => {
      const names = fc.constantFrom(
        ...Object.keys(TRACK),
        'context',
        'properties',
        'sentAt',
        '_metadata',
        '__proto__',
      );
      const value = fc.oneof(fc.jsonValue(), fc.constantFrom('track', 'page', 'a', 5, {}, { retryCount: 1 }));
      fc.assert(
        fc.property(fc.array(fc.tuple(names, value)), (members) => {
          const text = JSON.stringify(Object.fromEntries(members));
          const [one, other] = [text, text].map((each) => translateItem(SEGMENT, JSON.parse(each)));
          expect(one).toEqual(other);
          if (one && !isUntranslatable(one)) expect(Object.keys(one.data)).not.toContain('sentAt');
        }),
      );
    });
  });

  it.each([
    [new UnavailableError('queue_unavailable', 'Redis is away.'), 503, 'queue_unavailable', 'Redis is away.'],
    [
      new InvalidFieldsError({ type: ['Must be one of these.'] }),
      400,
      'invalid',
      'Some fields are invalid. type: Must be one of these.',
    ],
  ])('reports an error by code and message: %s', (error, status, code, message) => {
    const rendered = SEGMENT.renderError?.(error, request('/v1/batch'));
    expect(rendered).toMatchObject({ status, body: { code, message } });
  });
});
