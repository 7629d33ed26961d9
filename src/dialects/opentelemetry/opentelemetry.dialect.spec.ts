import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { ProtobufLogsSerializer, JsonLogsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import fc from 'fast-check';
import type { FastifyRequest } from 'fastify';
import { DomainError } from '../../platform/errors/domain-error.js';
import type { Message, TranslatedEvent, Translation } from '../dialect.js';
import { translateItem } from '../read-item.js';
import { OPENTELEMETRY } from './opentelemetry.dialect.js';

const JSON_TYPE = 'application/json';
const PROTOBUF = 'application/x-protobuf';

const open = async (body: Uint8Array | string, type = PROTOBUF): Promise<Message> =>
  OPENTELEMETRY.open(Buffer.from(body as string), {
    headers: { 'content-type': type },
  } as unknown as FastifyRequest);

const itemsOf = ({ items }: Message): unknown[] => JSON.parse(items.toString()) as unknown[];

const openJson = (body: unknown): Promise<Message> => open(JSON.stringify(body), JSON_TYPE);

const translate = (item: unknown): TranslatedEvent => translateItem(OPENTELEMETRY, item) as TranslatedEvent;

/** The item of a request with one record. */
async function itemOf(
  record: unknown,
  { resource = {}, scope = {} }: { resource?: unknown; scope?: unknown } = {},
): Promise<unknown> {
  const body = { resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords: [record] }] }] };
  const [item] = itemsOf(await openJson(body));
  return item;
}

const text = (key: string, stringValue: string): object => ({ key, value: { stringValue } });
const VISIT = text('session.id', 'visit-1');

/** Bytes of a message: fields of bytes and texts by their numbers. */
function messageOf(...fields: [number: number, value: Uint8Array | string][]): Buffer {
  const writer = new BinaryWriter();
  for (const [number, value] of fields)
    writer.tag(number, WireType.LengthDelimited).bytes(Buffer.from(value as string));
  return Buffer.from(writer.finish());
}

/** A request in Protobuf with these records. */
const requestOf = (...records: Uint8Array[]): Buffer =>
  messageOf([1, messageOf([2, messageOf(...records.map((each): [number, Uint8Array] => [2, each]))])]);

const NAMED: [number, string] = [12, 'shop.opened'];

async function errorOf(opening: Promise<unknown>): Promise<DomainError> {
  const error: unknown = await opening.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof DomainError) return error;
  throw new Error(`No DomainError, but ${String(error)}`);
}

describe('A record of OTLP', () => {
  const RECORD = {
    timeUnixNano: '1795872365869123456',
    observedTimeUnixNano: '1795872365870000000',
    severityNumber: 9,
    severityText: 'INFO',
    eventName: 'order.completed',
    body: { kvlistValue: { values: [{ key: 'n', value: { intValue: '9007199254740993' } }] } },
    attributes: [
      VISIT,
      { key: 'list', value: { arrayValue: { values: [{ intValue: 5 }, { doubleValue: 2.5 }, {}] } } },
      { key: 'empty', value: { arrayValue: {} } },
      { key: 'bytes', value: { bytesValue: 'AAEC' } },
      { key: '__proto__', value: { boolValue: true } },
      { key: 'n', value: { intValue: '-7' } },
      { key: 'unset' },
    ],
    droppedAttributesCount: 2,
    flags: 1,
    traceId: '5b8efff798038103d269b633813fc60c',
    spanId: 'eee19b7ec3c1b174',
  };

  it('becomes an event with everything that it, its resource and its scope say', async () => {
    const item = await itemOf(RECORD, {
      resource: { attributes: [text('service.name', 'shop')], droppedAttributesCount: 0 },
      scope: { name: 'checkout', version: '1.0.0' },
    });
    const { recordId } = item as { recordId: string };
    expect(recordId).toMatch(/^[\w-]{22}:0$/);
    expect(translate(item)).toEqual({
      session_id: 'visit-1',
      category: 'checkout',
      name: 'order.completed',
      timestamp: '2026-11-28T13:26:05.869123Z',
      id: recordId,
      data: {
        recordId,
        timeUnixNano: '1795872365869123456',
        observedTimeUnixNano: '1795872365870000000',
        severityNumber: 9,
        severityText: 'INFO',
        eventName: 'order.completed',
        body: { n: '9007199254740993' },
        attributes: {
          'session.id': 'visit-1',
          list: [5, 2.5, null],
          empty: [],
          bytes: 'AAEC',
          ['__proto__']: true,
          n: -7,
          unset: null,
        },
        droppedAttributesCount: 2,
        flags: 1,
        traceId: '5b8efff798038103d269b633813fc60c',
        spanId: 'eee19b7ec3c1b174',
        resource: { attributes: { 'service.name': 'shop' } },
        scope: { name: 'checkout', version: '1.0.0' },
      },
    });
  });

  it.each([
    ['its attribute session.id', [VISIT], {}, 'visit-1'],
    ['the attribute session.id of its resource', [], { attributes: [text('session.id', 'r')] }, 'r'],
    ['its trace', [], { attributes: [text('service.instance.id', 'i')] }, 'abc1'],
  ])('belongs to the session of %s', async (_, attributes, resource, session) => {
    const item = await itemOf({ eventName: 'a', attributes, traceId: 'abc1' }, { resource });
    expect(translate(item).session_id).toBe(session);
  });

  it('belongs to the session of the instance of its service if its trace id is zero', async () => {
    const resource = { attributes: [text('service.instance.id', 'i')] };
    const item = await itemOf({ eventName: 'a', traceId: '0'.repeat(32) }, { resource });
    expect(translate(item).session_id).toBe('i');
  });

  it('is refused without any of these', async () => {
    expect(translateItem(OPENTELEMETRY, await itemOf({ eventName: 'a' }))).toMatchObject({
      code: 'missing_field',
      errors: { 'session.id': [expect.stringContaining('session.id')] },
    });
  });

  it.each([
    ['domain', { name: 'scope' }, [text('event.domain', 'browser')], 'browser'],
    ['scope', { name: 'scope' }, [], 'scope'],
    ['protocol, if it names neither', {}, [], 'opentelemetry'],
  ])('has the category of its %s', async (_, scope, attributes, category) => {
    const item = await itemOf({ eventName: 'a', attributes: [VISIT, ...attributes] }, { scope });
    expect(translate(item).category).toBe(category);
  });

  it('has the name of its attribute event.name, cut at the limit and whole in data', async () => {
    const long = 'x'.repeat(300);
    const item = await itemOf({ attributes: [VISIT, text('event.name', long)] });
    expect(translate(item)).toMatchObject({
      name: 'x'.repeat(255),
      data: { attributes: { 'event.name': long } },
    });
  });

  it('is identified by its attribute log.record.uid, wherever it stands in a request', async () => {
    const record = { eventName: 'a', attributes: [VISIT, text('log.record.uid', 'uid-1')] };
    const body = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ eventName: 'b' }, record, record] }] }] };
    const [, first, second] = itemsOf(await openJson(body)).map(translate);
    expect(first).toEqual(second);
    expect(first?.id).toBe('uid-1');
    expect(first?.data).not.toHaveProperty('recordId');
  });

  it('is another one than its twin in the same request, and the same one when the request is sent again', async () => {
    const twin = { eventName: 'a', attributes: [VISIT] };
    const body = { resourceLogs: [{ scopeLogs: [{ logRecords: [twin, twin] }] }] };
    const first = itemsOf(await openJson(body)).map(translate);
    expect(first[0]).not.toEqual(first[1]);
    expect(itemsOf(await openJson(body)).map(translate)).toEqual(first);
  });

  it('keeps all values of an attribute that stands several times, in their order', async () => {
    const item = await itemOf({ eventName: 'a', attributes: [VISIT, text('a', '1'), text('a', '2')] });
    expect(translate(item).data).toMatchObject({ attributes: { a: ['1', '2'] } });
  });

  it('happened when it was observed, or at an unknown time, if it has no time', async () => {
    const observed = { eventName: 'a', attributes: [VISIT], timeUnixNano: '0', observedTimeUnixNano: '1000' };
    expect(translate(await itemOf(observed)).timestamp).toBe('1970-01-01T00:00:00.000001Z');
    expect(translate(await itemOf({ eventName: 'a', attributes: [VISIT] })).timestamp).toBeUndefined();
  });

  it.each(['yesterday', '-1', {}, [], true, 1.5])(
    'passes the time %p on, which is refused as that of any event',
    async (timeUnixNano) => {
      const item = await itemOf({ eventName: 'a', attributes: [VISIT], timeUnixNano });
      expect(translate(item).timestamp).toEqual(timeUnixNano);
    },
  );

  it.each([{}, { eventName: '' }, { attributes: [text('event.name', '')] }, 7, null, 'eventName', [1]])(
    'is skipped if it has no name: %p',
    async (record) => {
      const body = { resourceLogs: [{ scopeLogs: [{ logRecords: [record, { eventName: 'b' }] }] }] };
      const message = await openJson(body);
      expect(message.skipped).toBe(1);
      expect(itemsOf(message)).toHaveLength(1);
    },
  );

  it('may be anything without that translation fails', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (record, resource, attributes) => {
        const named =
          typeof record === 'object' && !Array.isArray(record) ? { ...record, attributes } : record;
        const item = { resource, scopeLogs: [{ logRecords: [named] }] };
        for (const each of [item, record, [record], { scopeLogs: record }])
          expect(translateItem(OPENTELEMETRY, each)).toEqual(expect.anything());
      }),
    );
  });

  it('may be nested however deep', () => {
    const levels = 200_000;
    const body = JSON.parse(
      `${'{"arrayValue":{"values":['.repeat(levels)}${']}}'.repeat(levels)}`,
    ) as unknown;
    const item = { scopeLogs: [{ logRecords: [{ eventName: 'a', attributes: [VISIT], body }] }] };
    expect(translate(item).name).toBe('a');
  });
});

describe('A request of OTLP', () => {
  /** A request as the exporters make it, in both encodings. */
  async function exported(
    emit: (provider: LoggerProvider) => void,
  ): Promise<{ json: Message; proto: Message }> {
    const exporter = new InMemoryLogRecordExporter();
    const provider = new LoggerProvider({
      resource: resourceFromAttributes({ 'service.name': 'Läden', 'service.instance.id': 'i' }),
      processors: [new SimpleLogRecordProcessor({ exporter })],
    });
    emit(provider);
    await provider.forceFlush();
    const records = exporter.getFinishedLogRecords();
    return {
      json: await open(JsonLogsSerializer.serializeRequest(records) as Uint8Array, JSON_TYPE),
      proto: await open(ProtobufLogsSerializer.serializeRequest(records) as Uint8Array),
    };
  }

  const withoutIds = (translations: Translation[]): unknown =>
    translations.map((each) => ({
      ...each,
      id: '',
      data: { ...(each as TranslatedEvent).data, recordId: '' },
    }));

  it('makes the same events in both encodings', async () => {
    const { json, proto } = await exported((provider) => {
      for (const scope of ['one', 'zwei 🎉']) {
        const logger = provider.getLogger(scope, '1.0');
        const attributes = {
          list: [1, 2.5, 'x', true, null],
          'a.b': { c: { d: [] } },
          big: 2 ** 60,
          neg: -5,
        };
        logger.emit({
          eventName: 'full 🎉',
          body: { text: '"\\\n', bytes: new Uint8Array([1, 2]) },
          attributes,
        });
        logger.emit({ eventName: 'without anything' });
        logger.emit({ body: 'A line of a log' });
      }
    });
    const events = itemsOf(proto).map((item) => translateItem(OPENTELEMETRY, item));
    expect(events).toHaveLength(4);
    expect(withoutIds(itemsOf(json).map((item) => translateItem(OPENTELEMETRY, item)))).toEqual(
      withoutIds(events),
    );
    expect([json.skipped, proto.skipped]).toEqual([2, 2]);
  });

  it.each([
    ['', 'empty_body'],
    [' ', 'empty_body'],
    ['[]', 'malformed_json'],
    ['7', 'malformed_json'],
    ['{"resourceLogs":[}', 'malformed_json'],
    ['{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"a"}]}]}', 'malformed_json'],
    ['{"resourceLogs":{}}', 'invalid'],
    ['{"resourceSpans":[]}', 'invalid'],
    ['{"resourceLogs":[{"scopeLogs":7}]}', 'invalid'],
  ])('is refused if it is the JSON %p', async (body, code) => {
    expect((await errorOf(open(body, JSON_TYPE))).code).toBe(code);
  });

  it.each([
    '{}',
    '{"resourceLogs":[]}',
    '{"resourceLogs":null}',
    '\uFEFF {"resourceLogs":[7,{"scopeLogs":[null]}]}',
  ])('may have no records: %p', async (body) => {
    expect(itemsOf(await open(body, JSON_TYPE))).toEqual([]);
  });

  it('may have its members in any order, among unknown ones', async () => {
    const body = `{"a":[{}],"resourceLogs" : [ {"scopeLogs":[{"logRecords":[ {"eventName":"a"} , {"eventName":"b"}],"x":"]}"}],
      "resource":{"attributes":[]},"y":-1e3 } ] }`;
    expect(itemsOf(await open(body, JSON_TYPE))).toMatchObject([
      { resource: {}, y: -1000, scopeLogs: [{ x: ']}', logRecords: [{ eventName: 'a' }] }] },
      { resource: {}, y: -1000, scopeLogs: [{ x: ']}', logRecords: [{ eventName: 'b' }] }] },
    ]);
  });

  it.each([
    ['ends within a tag', Buffer.from([0x80])],
    ['ends within a message', requestOf(messageOf(NAMED)).subarray(0, -1)],
    ['has a length beyond its end', Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])],
    ['has a varint without an end', Buffer.alloc(20, 0xff)],
    ['has the field number 0', Buffer.from([0x00, 0x00])],
    ['has a wrong wire type', Buffer.from([0x08, 0x01])],
    [
      'has a wrong wire type in a record',
      requestOf(Buffer.concat([messageOf(NAMED), Buffer.from([0x08, 0x01])])),
    ],
    ['has a cut number in a record', requestOf(Buffer.concat([messageOf(NAMED), Buffer.from([0x09, 0x01])]))],
    ['has groups', Buffer.alloc(100_000, 0x23)],
    ['is JSON', Buffer.from('{"resourceLogs":[]}')],
  ])('is refused if its Protobuf %s', async (_, body) => {
    expect((await errorOf(open(body))).code).toBe('malformed_protobuf');
  });

  it('in Protobuf never fails in another way', async () => {
    const whole = requestOf(messageOf(NAMED, [6, messageOf([1, 'session.id'], [2, messageOf([1, 'v'])])]));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length),
        fc.uint8Array({ maxLength: 8 }),
        fc.nat(4),
        async (at, bytes, drop) => {
          const damaged = Buffer.concat([whole.subarray(0, at), bytes, whole.subarray(at + drop)]);
          const outcome = await open(damaged).then(
            (message) => Array.isArray(itemsOf(message)),
            (error: unknown) => (error as DomainError).code,
          );
          expect([true, 'malformed_protobuf']).toContain(outcome);
        },
      ),
    );
  });

  it('keeps the bytes of a text that is no UTF-8, so that only its record is refused', async () => {
    const { items } = await open(
      requestOf(messageOf(NAMED, [3, Buffer.from([0xff, 0x22])]), messageOf(NAMED)),
    );
    expect(items.includes(Buffer.from([0x22, 0xff, 0x5c, 0x22, 0x22]))).toBe(true);
  });

  it('may have a value that is nested however deep, and ends its JSON where it is too deep for any event', async () => {
    let body = messageOf([1, 'end']);
    for (let level = 0; level < 2000; level++) body = messageOf([5, messageOf([1, body])]);
    const { items } = await open(requestOf(messageOf(NAMED, [5, body])));
    expect(items.toString().split('arrayValue').length).toBeGreaterThan(33);
    expect(items.toString().split('arrayValue').length).toBeLessThan(200);
  });

  it('names the size of a record that is larger than any event, instead of decoding it', async () => {
    const large = messageOf(NAMED, [3, 'x'.repeat(600_000)]);
    const [item, neighbour] = itemsOf(await open(requestOf(large, messageOf(NAMED))));
    expect(item).toEqual({ recordId: expect.any(String), omittedBytes: large.length });
    expect(translateItem(OPENTELEMETRY, item)).toMatchObject({ code: 'too_large' });
    expect(neighbour).toMatchObject({ scopeLogs: [{ logRecords: [{ eventName: 'shop.opened' }] }] });
  });

  it('does the same for a record with more fields than any event', async () => {
    const many = Buffer.concat([messageOf(NAMED), Buffer.from('3200'.repeat(100_000), 'hex')]);
    const [item, neighbour] = itemsOf(await open(requestOf(many, messageOf(NAMED))));
    expect(item).toEqual({ recordId: expect.any(String), omittedBytes: many.length });
    expect(neighbour).toMatchObject({ scopeLogs: [{ logRecords: [{ eventName: 'shop.opened' }] }] });
  });

  it('may have a record with as many values as fit into an event', async () => {
    const list = messageOf(
      ...Array.from({ length: 32_000 }, (): [number, Buffer] => [1, Buffer.from([0x18, 0x00])]),
    );
    const [item] = itemsOf(await open(requestOf(messageOf(NAMED, [5, messageOf([5, list])]))));
    expect(item).not.toHaveProperty('omittedBytes');
  });

  it('has at most 10,000 records, resources and scopes', async () => {
    const empty = Buffer.alloc(0);
    const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
    expect((await open(requestOf(...times(10_000, empty)))).skipped).toBe(10_000);
    for (const body of [
      requestOf(...times(10_001, empty)),
      messageOf(...times(10_001, [1, empty] as [number, Buffer])),
      messageOf([1, messageOf(...times(10_001, [2, empty] as [number, Buffer]))]),
    ])
      expect((await errorOf(open(body))).code).toBe('too_many_events');
    const json = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[${times(10_001, '{}').join()}]}]}]}`;
    expect((await errorOf(open(json, JSON_TYPE))).code).toBe('too_many_events');
  });

  it('is refused if the copies of its resource become too large', async () => {
    const resource = messageOf([1, messageOf([1, 'key'], [2, messageOf([1, 'x'.repeat(60_000)])])]);
    const records = Array.from({ length: 400 }, (): [number, Buffer] => [2, messageOf(NAMED)]);
    const body = messageOf([1, messageOf([1, resource], [2, messageOf(...records)])]);
    expect((await errorOf(open(body))).code).toBe('body_too_large');
  });

  it('is refused if a resource is larger than any event', async () => {
    const long = 'x'.repeat(600_000);
    const proto = messageOf([1, messageOf([1, messageOf([1, messageOf([1, long])])])]);
    expect((await errorOf(open(proto))).code).toBe('resource_too_large');
    expect((await errorOf(openJson({ resourceLogs: [{ resource: { long } }] }))).code).toBe(
      'resource_too_large',
    );
  });

  it('is refused if it is neither Protobuf nor JSON', async () => {
    for (const type of ['text/plain', 'application/x-ndjson', ''])
      expect((await errorOf(open('{}', type))).code).toBe('unsupported_media_type');
  });
});
