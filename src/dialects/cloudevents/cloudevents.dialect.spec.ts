import type { FastifyRequest } from 'fastify';
import { canonicalJson } from '../../platform/json/canonical-json.js';
import { translateItem } from '../read-item.js';
import { CLOUDEVENTS } from './cloudevents.dialect.js';
import { isCloudEvents } from './protocol-constraint.js';

const EVENT = { specversion: '1.0', id: '1', source: '/shop/web', type: 'com.example.order.completed' };

const open = async (headers: Record<string, string>, body: string | Buffer = ''): Promise<any> => {
  const message = await CLOUDEVENTS.open(Buffer.from(body), { headers } as unknown as FastifyRequest);
  return JSON.parse(message.items.toString());
};
const binary = (headers: Record<string, string>, body?: string | Buffer): Promise<any> =>
  open(
    { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/shop/web', 'ce-type': 'order', ...headers },
    body,
  );

describe('A CloudEvent in binary mode', () => {
  it('has its attributes and extensions in headers, percent-encoded, and its data in the body', async () => {
    const headers = {
      'content-type': 'application/json',
      'ce-subject': 'Gr%C3%BC%C3%9Fe%20%F0%9F%8E%89',
      'ce-sessionid': '"a \\"quoted\\" one"',
      'ce-discount': '100%',
      'x-other': 'no attribute',
    };
    expect(await binary(headers, '{"n":9.99}')).toEqual({
      specversion: '1.0',
      id: '1',
      source: '/shop/web',
      type: 'order',
      subject: 'Grüße 🎉',
      sessionid: 'a "quoted" one',
      discount: '100%',
      datacontenttype: 'application/json',
      data: { n: 9.99 },
    });
  });

  it.each([
    ['application/json', '[1,null]', { data: [1, null] }],
    ['application/vnd.example+json; charset=utf-8', '"text"', { data: 'text' }],
    ['text/plain', 'Grüße', { data: 'Grüße' }],
    ['application/xml', '<a/>', { data: '<a/>' }],
    ['application/octet-stream', Buffer.from([0, 255]), { data_base64: 'AP8=' }],
    ['text/plain', Buffer.from([0xff]), { data_base64: '/w==' }],
    ['application/json', '', {}],
  ])('of %s keeps the data %s', async (type, body, member) => {
    const { data, data_base64 } = await binary({ 'content-type': type }, body);
    expect({ data, data_base64 }).toEqual({ data: undefined, data_base64: undefined, ...member });
  });

  it.each(['1,"sessionid":"another"', '1}', '[1],[2]', '1,2', '{', '  '])(
    'whose data is to be JSON is refused with %s, which would change its members',
    async (body) => {
      await expect(binary({ 'content-type': 'application/json' }, body)).rejects.toMatchObject({
        code: 'malformed_json',
      });
    },
  );

  it('keeps an attribute that is called like a member of every object', async () => {
    const event = await binary({ ['ce-__proto__']: 'kept', 'ce-constructor': 'too' });
    expect(Object.entries(event)).toEqual(
      expect.arrayContaining([
        ['__proto__', 'kept'],
        ['constructor', 'too'],
      ]),
    );
  });

  it('keeps bytes that only look like CESU-8 as they are', async () => {
    const bytes = Buffer.from('eda0bdedb880', 'hex');
    const { data_base64 } = await binary({ 'content-type': 'image/png' }, bytes);
    expect(data_base64).toBe(bytes.toString('base64'));
  });

  it('is distinguished from an event of The Eye by its headers, one in structured mode by its content type', () => {
    expect(isCloudEvents({ headers: { 'ce-id': '1', 'content-type': 'application/json' } })).toBe(true);
    expect(
      isCloudEvents({ headers: { 'content-type': 'Application/CloudEvents+json; charset=utf-8' } }),
    ).toBe(true);
    expect(isCloudEvents({ headers: { 'content-type': 'application/cloudevents-batch+json' } })).toBe(true);
    expect(isCloudEvents({ headers: { 'content-type': 'application/json' } })).toBe(false);
    expect(isCloudEvents({ headers: {} })).toBe(false);
  });
});

describe('A CloudEvent', () => {
  it.each([
    [{ sessionid: 'anon', subject: 'user' }, 'anon'],
    [{ subject: 'user' }, 'user'],
    [{ subject: '', sessionid: 7 }, '/shop/web'],
  ])('with %j belongs to the session %s', (attributes, session_id) => {
    expect(translateItem(CLOUDEVENTS, { ...EVENT, ...attributes })).toMatchObject({ session_id });
  });

  it.each([
    ['com.example.order.completed', 'com.example.order'],
    ['order', 'cloudevents'],
    ['.order', 'cloudevents'],
    ['order.', 'order'],
  ])('of the type %s has the category %s', (type, category) => {
    expect(translateItem(CLOUDEVENTS, { ...EVENT, type })).toMatchObject({ category, name: type });
  });

  it('is kept whole, with a long type that is cut in its name', () => {
    const item = {
      ...EVENT,
      type: 't'.repeat(500),
      time: '2026-01-05T17:31:00.123456789Z',
      data: [1],
      extra: 7,
    };
    expect(translateItem(CLOUDEVENTS, item)).toEqual({
      session_id: '/shop/web',
      category: 'cloudevents',
      name: 't'.repeat(255),
      data: item,
      timestamp: '2026-01-05T17:31:00.123456Z',
      id: '["/shop/web","1"]',
    });
  });

  it.each([
    [7, 'event'],
    [null, 'event'],
    [[EVENT], 'event'],
    [{ ...EVENT, specversion: undefined }, 'specversion'],
    [{ ...EVENT, specversion: '0.3' }, 'specversion'],
    [{ ...EVENT, id: undefined }, 'id'],
    [{ ...EVENT, source: '' }, 'source'],
    [{ ...EVENT, type: { $gt: '' } }, 'type'],
  ])('such as %j is refused because of %s', (item, field) => {
    const translation = translateItem(CLOUDEVENTS, item);
    expect(Object.keys((translation as { errors: object }).errors)).toEqual([field]);
    expect(canonicalJson(translation)).toContain(field);
  });

  it.each([
    ['application/cloudevents+json', '', 'empty_body'],
    ['application/cloudevents+json', '[{}]', 'wrong_type'],
    ['application/cloudevents-batch+json', '{}', 'wrong_type'],
    ['application/cloudevents+xml', '<a/>', 'unsupported_media_type'],
    ['application/cloudevents', '', 'unsupported_media_type'],
  ])('in a body of %s that is %j is refused as %s', async (type, body, code) => {
    await expect(async () => open({ 'content-type': type }, body)).rejects.toMatchObject({ code });
  });
});
