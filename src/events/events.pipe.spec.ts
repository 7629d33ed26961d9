import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { EventTypes } from '../event-types/event-types.cache.js';
import { COMPILER } from '../event-types/schema/payload-schema.spec-support.js';
import { ANYBODY } from '../auth/caller.js';
import { RequestPoints } from '../auth/request-points.js';
import { JsonBody, NdjsonBody } from '../platform/http/bodies.js';
import { DomainError } from '../platform/errors/domain-error.js';
import type { ReadEvent } from '../platform/model/event.js';
import type { NewRejection } from '../platform/model/rejection.js';
import { EventsPipe } from './events.pipe.js';
import { LargeBodies } from './large-bodies.js';
import type { Submission } from './submission.js';

const EVENT = {
  session_id: 'e2085be5-9137-4e4e-80b5-f1ffddc25423',
  category: 'page interaction',
  name: 'pageview',
  data: { host: 'www.consumeraffairs.com', path: '/' },
  timestamp: '2021-01-01 09:15:29.243860',
};
const EMOJI = '\u{1F600}';

const recorded: NewRejection[] = [];
const eventTypes = new EventTypes(COMPILER);
eventTypes.update([]);
const recorder = { record: (rejection: NewRejection) => void recorded.push(rejection) };
const pipe = new EventsPipe(eventTypes, recorder, new LargeBodies());
const sendText = (text: string) => pipe.transform({ body: new JsonBody(Buffer.from(text)), caller: ANYBODY });
const send = (value: unknown) => sendText(JSON.stringify(value));

const sendBytes = (bytes: Buffer) => pipe.transform({ body: new NdjsonBody(bytes), caller: ANYBODY });
const sendLines = (...lines: string[]) => sendBytes(Buffer.from(lines.join('\n')));

async function errorOf(submission: Promise<Submission>): Promise<DomainError> {
  const outcome = await submission.catch((error: unknown) => error);
  if (outcome instanceof DomainError) return outcome;
  throw new Error(`No error: ${JSON.stringify(outcome)}`);
}

/** The messages by field for one event that is sent alone. */
async function errorsOf(submission: Promise<Submission>): Promise<unknown> {
  const { kind, code, errors } = await errorOf(submission);
  expect({ kind, code }).toEqual({ kind: 'invalid', code: 'invalid' });
  return errors;
}

const nested = (levels: number) => `${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`;
const withData = (data: string) => `{"session_id":"s","category":"c","name":"n","data":${data}}`;

describe('EventsPipe: an event', () => {
  it('gets an id, a canonical timestamp, and a JSON text of all its fields', async () => {
    const submission = await send(EVENT);
    const { text, growth, ...fields } = submission.events[0] as ReadEvent;
    expect([JSON.parse(text), growth]).toEqual([fields, 0]);
    expect(submission).toEqual({
      many: false,
      observed: [],
      refused: [],
      errorsLeftOut: 0,
      events: [
        {
          ...EVENT,
          application: 'default',
          id: '0176bd3b-005b-8e87-b810-d98f192d5f04',
          timestamp: '2021-01-01T09:15:29.243860Z',
          data_sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
          text,
          growth,
        },
      ],
    });
  });

  it('without data and timestamp gets an empty payload and the time of arrival', async () => {
    const before = new Date().toISOString();
    const { events } = await send({ session_id: 's', category: 'c', name: 'n' });
    expect(events[0]?.data).toEqual({});
    expect((events[0]?.timestamp ?? '') >= before.slice(0, -1)).toBe(true);
    expect((events[0]?.timestamp ?? '') <= `${new Date().toISOString().slice(0, -1)}999Z`).toBe(true);
  });

  it('keeps its payload as it was sent, whatever its keys and values are', async () => {
    const key = fc.oneof(
      fc.constantFrom('__proto__', 'constructor', 'then', 'id', 'toJSON', '1'),
      fc.string({ unit: 'grapheme' }),
    );
    const data = fc.dictionary(key, fc.jsonValue({ stringUnit: 'grapheme' }), { maxKeys: 6 });
    await fc.assert(
      fc.asyncProperty(data, async (payload) => {
        const text = withData(JSON.stringify(payload));
        const sent = (JSON.parse(text) as { data: unknown }).data;
        for (const { events } of [await sendText(text), await sendText(`[${text}]`), await sendLines(text)]) {
          expect(isDeepStrictEqual(events[0]?.data, sent)).toBe(true);
          const queued = JSON.parse(events[0]?.text ?? '') as ReadEvent;
          expect(isDeepStrictEqual(queued.data, sent)).toBe(true);
        }
      }),
    );
  });
});

describe('EventsPipe: a field', () => {
  const texts = ['session_id', 'category', 'name'];
  const nearFuture = () => new Date(Date.now() + 290_000).toISOString();
  const farFuture = () => new Date(Date.now() + 310_000).toISOString();

  it('that is missing is reported, each of them', async () => {
    const required = ['This field is required.'];
    expect(await errorsOf(send({}))).toEqual({ session_id: required, category: required, name: required });
  });

  it.each(
    texts.flatMap((field) => [
      [field, 42, 'Must be a string.'],
      [field, null, 'Must be a string.'],
      [field, ['text'], 'Must be a string.'],
      [field, '', 'Must not be empty.'],
      [field, 'a\0', 'Must not contain the character U+0000: PostgreSQL cannot store it.'],
      [field, 'a\uD800', 'Must not contain half of a surrogate pair: it is not a Unicode character.'],
    ]),
  )('%s must not be %j: %s', async (field, value, message) => {
    expect(await errorsOf(send({ ...EVENT, [String(field)]: value }))).toEqual({
      [String(field)]: [message],
    });
  });

  it.each([
    ['data', null, 'Must be a JSON object.'],
    ['data', [], 'Must be a JSON object.'],
    ['data', 'text', 'Must be a JSON object.'],
    ['timestamp', null, 'Must be a string.'],
    [
      'timestamp',
      1609492529,
      expect.stringMatching(/^Must be a string .* could mean seconds or milliseconds\.$/),
    ],
    ['timestamp', '2021-02-30T00:00:00', 'This day does not exist.'],
    ['timestamp', 'now', 'Must be an ISO 8601 date-time such as 2021-01-01T09:15:29.243860Z.'],
  ])('%s must not be %j: %s', async (field, value, message) => {
    expect(await errorsOf(send({ ...EVENT, [field]: value }))).toEqual({ [field]: [message] });
  });

  it.each([
    ['letters', 'é'],
    ['emoji', EMOJI],
  ])('of 255 characters is accepted and of 256 refused: %s', async (_, character) => {
    expect((await send({ ...EVENT, name: character.repeat(255) })).events).toHaveLength(1);
    for (const field of texts) {
      expect(await errorsOf(send({ ...EVENT, [field]: character.repeat(256) }))).toEqual({
        [field]: ['Must not exceed 255 characters.'],
      });
    }
  });

  it('may be long only if all three fit into an index entry', async () => {
    const wide = { session_id: EMOJI.repeat(200), category: EMOJI.repeat(200), name: EMOJI.repeat(200) };
    expect((await send(wide)).events).toHaveLength(1);
    expect(await errorsOf(send({ ...wide, name: EMOJI.repeat(201) }))).toEqual({
      session_id: ['session_id, category and name together must not exceed 2400 bytes in UTF-8.'],
    });
  });

  it('timestamp may lie five minutes in the future, not more', async () => {
    expect((await send({ ...EVENT, timestamp: nearFuture() })).events).toHaveLength(1);
    expect(await errorsOf(send({ ...EVENT, timestamp: farFuture() }))).toEqual({
      timestamp: ['Must not lie more than 300 seconds in the future.'],
    });
  });

  it.each(['id', 'user', '__proto__', 'constructor', 'toString', 'then'])('%s is unknown', async (field) => {
    const text = JSON.stringify(EVENT).replace('{', `{${JSON.stringify(field)}:{},`);
    const errors = await errorsOf(sendText(text));
    expect(Object.entries(errors as object)).toEqual([[field, ['Unknown field.']]]);
  });

  it('that is invalid does not hide another', async () => {
    expect(await errorsOf(send({ ...EVENT, category: '', data: 1, colour: 'red' }))).toEqual({
      category: ['Must not be empty.'],
      data: ['Must be a JSON object.'],
      colour: ['Unknown field.'],
    });
  });
});

describe('EventsPipe: a payload', () => {
  it('of 65,536 bytes is accepted and of one more refused', async () => {
    const empty = JSON.stringify({ a: '' }).length;
    for (const [character, bytes] of [
      ['a', 1],
      ['é', 2],
      [EMOJI, 4],
    ] as const) {
      const filled = character.repeat((65_536 - empty) / bytes) + 'x'.repeat((65_536 - empty) % bytes);
      expect((await send({ ...EVENT, data: { a: filled } })).events).toHaveLength(1);
      expect(await errorsOf(send({ ...EVENT, data: { a: `${filled}x` } }))).toEqual({
        data: ['Must not exceed 65536 bytes as compact JSON.'],
      });
    }
  });

  it('is measured without whitespace', async () => {
    expect((await sendText(withData(`{${' '.repeat(70_000)}}`))).events).toHaveLength(1);
  });

  it('of 100 levels is accepted and of 101 refused', async () => {
    expect((await sendText(withData(nested(100)))).events).toHaveLength(1);
    expect(await errorsOf(sendText(withData(nested(101))))).toEqual({
      data: ['Nested more than 100 levels deep.'],
    });
  });

  it.each([
    ['{"form":[{"amount":9007199254740993}]}', 'data.form.0.amount', 'cannot be kept exactly'],
    ['{"a":1,"a":2}', 'data.a', 'stands twice'],
    ['{"form":[-0]}', 'data.form.0', 'The number -0 cannot be kept exactly'],
    ['{"n":-0.0e5}', 'data.n', 'The number -0.0e5 cannot be kept exactly'],
    [String.raw`{"form":["\u0000"]}`, 'data.form.0', 'U+0000'],
    [String.raw`{"form":{"\ud800":1}}`, 'data.form.\uD800', 'surrogate'],
  ])(
    '%s is refused with the path of the value that cannot be stored exactly',
    async (data, place, reason) => {
      const errors = await errorsOf(sendText(withData(data)));
      expect(Object.entries(errors as object)).toEqual([[place, [expect.stringContaining(reason)]]]);
    },
  );
});

describe('EventsPipe: many events', () => {
  const bad = { ...EVENT, timestamp: '2021-02-30' };

  it.each([
    ['an array', (...values: unknown[]) => send(values)],
    ['NDJSON', (...values: unknown[]) => sendLines(...values.map((value) => JSON.stringify(value)))],
  ])(
    'in %s are accepted in their order, and the refused ones are named by their index',
    async (_, sendAll) => {
      const { many, events, refused } = await sendAll(
        bad,
        { ...EVENT, name: 'a' },
        42,
        { ...EVENT, name: 'b' },
        [],
      );
      expect(many).toBe(true);
      expect(events.map(({ name }) => name)).toEqual(['a', 'b']);
      expect(refused).toEqual([
        { index: 0, errors: { timestamp: [expect.any(String)] } },
        { index: 2, errors: { event: ['Must be a JSON object.'] } },
        { index: 4, errors: { event: ['Must be a JSON object.'] } },
      ]);
    },
  );

  it('include an array and NDJSON with one event', async () => {
    expect((await send([EVENT])).many).toBe(true);
    expect((await sendLines(JSON.stringify(EVENT))).many).toBe(true);
  });

  it('with an inexact number in one of them lose only that one', async () => {
    const { events, refused } = await sendText(
      `[${withData('{}')},${withData('{"n":[1e400]}')},${withData('{}')}]`,
    );
    expect(events).toHaveLength(2);
    expect(refused).toEqual([{ index: 1, errors: { 'data.n.0': [expect.stringContaining('1e400')] } }]);
  });

  it('in NDJSON lose only a line that is not JSON', async () => {
    const { events, refused } = await sendLines(JSON.stringify(EVENT), '{"name":', JSON.stringify(EVENT));
    expect(events).toHaveLength(2);
    expect(refused).toEqual([{ index: 1, errors: { event: [expect.stringMatching(/^Not valid JSON: /)] } }]);
  });

  it('that are all refused fail with the errors of each', async () => {
    const { kind, details } = await errorOf(send([bad, 42]));
    expect(kind).toBe('invalid');
    expect(details).toMatchObject({ accepted: 0, ids: [], rejected: [{ index: 0 }, { index: 1 }] });
  });

  it('are limited to 5,000', async () => {
    const event = withData('{}');
    const array = (count: number) => `[${new Array<string>(count).fill(event).join(',')}]`;
    expect((await sendText(array(5000))).events).toHaveLength(5000);
    const tooMany = { kind: 'too_large', code: 'too_many_events' };
    expect(await errorOf(sendText(array(5001)))).toMatchObject(tooMany);
    expect(await errorOf(sendLines(...new Array<string>(5001).fill('null')))).toMatchObject(tooMany);
  });
});

describe('EventsPipe: a body', () => {
  it.each([
    ['no body', () => pipe.transform({ body: undefined, caller: ANYBODY })],
    ['an empty body', () => sendText('')],
    ['blanks', () => sendText(' \n')],
    ['an empty array', () => sendText('[]')],
    ['NDJSON without lines', () => sendLines()],
  ])('without events is refused: %s', async (_, submission) => {
    expect(await errorOf(submission())).toMatchObject({ kind: 'invalid', code: 'empty_body' });
  });

  it('that is not JSON is refused as a whole', async () => {
    expect(await errorOf(sendText(`[${JSON.stringify(EVENT)},`))).toMatchObject({
      kind: 'invalid',
      code: 'malformed_json',
    });
  });

  it('of another JSON type contains no event', async () => {
    for (const text of ['null', '42', '"text"', 'true']) {
      expect(await errorsOf(sendText(text))).toEqual({ event: ['Must be a JSON object.'] });
    }
  });

  it.each([
    ['behind a good event', '{"data":tru}'],
    ['in an event that is too large to be parsed', `{"data":"${'x'.repeat(500_000)}"`],
    ['behind an event that is nested too deep', `${withData('['.repeat(300) + ']'.repeat(300))}{`],
  ])('that is malformed anywhere is refused as a whole: %s', async (_, text) => {
    recorded.length = 0;
    const error = await errorOf(sendText(`[${JSON.stringify(EVENT)},${text}]`));
    expect(error).toMatchObject({
      code: 'malformed_json',
      message: expect.stringMatching(/ at byte \d+\.$/),
    });
    expect(recorded.map(({ code }) => code)).toEqual(['malformed_json']);
  });

  it('of NDJSON that is not UTF-8 in one line loses only that line, which is recorded as text', async () => {
    recorded.length = 0;
    const line = JSON.stringify(EVENT);
    const invalid = Buffer.from(`${line}\n${line.replace('pageview', '\xff')}\n`, 'latin1');
    const { events, refused } = await sendBytes(Buffer.concat([invalid, Buffer.from(`\uFEFF${line}`)]));
    expect(events).toHaveLength(2);
    expect(refused).toEqual([{ index: 1, errors: { event: ['The line is not valid UTF-8.'] } }]);
    expect(recorded).toMatchObject([{ code: 'not_utf8', event: line.replace('pageview', '\uFFFD') }]);
  });

  it('of NDJSON may consist of a million blank lines and one event', async () => {
    const { events } = await sendLines('\r\n \n'.repeat(1_000_000), JSON.stringify(EVENT));
    expect(events).toHaveLength(1);
  });

  // Work that grew with the square of the text would exceed the time-out of the spec by far.
  it('nested a million deep is refused', async () => {
    const text = '['.repeat(1_000_000) + ']'.repeat(1_000_000);
    expect(await errorsOf(sendText(withData(text)))).toEqual({ data: ['Nested more than 100 levels deep.'] });
  });
});

describe('EventsPipe: the bounds of its work', () => {
  const event = (data: string) => `{"session_id":"s","category":"c","name":"n","data":${data}}`;

  it.each([
    ['of too many bytes', event(`{"a":"${'x'.repeat(500_000)}"}`), 'Must not take more than 424,000 bytes.'],
    [
      'with too many keys',
      event(`{${Array.from({ length: 14_000 }, (_, index) => `"${index}":1`).join()}}`),
      'Must not have more than 13,208 keys.',
    ],
  ])('are met before an event is parsed: one %s is refused alone', async (_, text, message) => {
    recorded.length = 0;
    const { events, refused } = await sendText(`[${text},${JSON.stringify(EVENT)}]`);
    expect(events).toHaveLength(1);
    expect(refused).toEqual([{ index: 0, errors: { event: [message] } }]);
    expect(recorded).toMatchObject([{ code: 'too_large', event: null }]);
    expect(text.startsWith(recorded[0]?.json ?? '?')).toBe(true);
  });

  it('admit every event within its limits, even if each character of it is escaped', async () => {
    const escaped = '\\u0061'.repeat(65_536 - 8);
    expect((await sendText(event(`{"a":"${escaped}"}`))).events).toHaveLength(1);
    expect(await errorsOf(sendText(event(`{"a":"${escaped}a"}`)))).toEqual({
      data: ['Must not exceed 65536 bytes as compact JSON.'],
    });
  });

  it('name the first 20 fields that are wrong, with names of 255 characters at most', async () => {
    const fields = Array.from({ length: 1000 }, (_, index) => `"${index}${'n'.repeat(300)}":1`).join();
    const errors = (await errorsOf(sendText(`{"session_id":"s",${fields}}`))) as Record<string, string[]>;
    expect(Object.keys(errors)).toHaveLength(21);
    expect(errors).toMatchObject({
      category: ['This field is required.'],
      name: ['This field is required.'],
      event: ['982 more fields are invalid.'],
    });
    expect(Math.max(...Object.keys(errors).map(({ length }) => length))).toBe(255);
  });

  it('name every refused event, but leave out the errors of those that would make the response too large', async () => {
    const bad = JSON.stringify({ ...EVENT, ['x'.repeat(200)]: 1 });
    const { refused, errorsLeftOut } = await sendLines(
      JSON.stringify(EVENT),
      ...Array<string>(2000).fill(bad),
    );
    expect(refused.map(({ index }) => index)).toEqual(Array.from({ length: 2000 }, (_, index) => index + 1));
    expect(refused.filter(({ errors }) => Object.keys(errors).length === 0)).toHaveLength(errorsLeftOut);
    expect(errorsLeftOut).toBeGreaterThan(1000);
    expect(JSON.stringify(refused).length).toBeLessThan(200_000);
  });

  it('take the points of all events before any is read or recorded', async () => {
    recorded.length = 0;
    const taken: number[] = [];
    const take = (points: number): undefined => {
      taken.push(points);
      if (points > 2) throw new DomainError('rate_limited', 'rate_limited', 'No points are left.');
    };
    const points = () => new RequestPoints({ take, charge: () => undefined, headers: () => ({}) });
    const sendMany = (text: string, own = points()) =>
      pipe.transform({ body: new JsonBody(Buffer.from(text)), caller: ANYBODY, points: own });
    await expect(sendMany('[1,2,3]')).rejects.toMatchObject({ code: 'rate_limited' });
    expect([taken, recorded]).toEqual([[3], []]);
    const paid = points();
    await paid.take({ bytes: 4097 });
    await expect(sendMany('[1,2]', paid)).rejects.toMatchObject({ code: 'invalid' });
    expect(taken).toEqual([3, 2]);
    expect(recorded).toHaveLength(2);
  });

  it('take points for the length of numbers that are written out', async () => {
    const taken: number[] = [];
    const quota = {
      take: (points: number) => void taken.push(points),
      charge: () => undefined,
      headers: () => ({}),
    };
    const numbers = Array<number>(100).fill(1e300);
    const body = new JsonBody(Buffer.from(JSON.stringify([EVENT, { ...EVENT, data: { numbers } }])));
    await pipe.transform({ body, caller: ANYBODY, points: new RequestPoints(quota) });
    // 100 numbers of 301 digits are eight times 4,096 bytes, of which two are paid as events.
    expect(taken).toEqual([2, 6]);
  });

  it('find that there are too many events before any is read or recorded', async () => {
    recorded.length = 0;
    await expect(sendText(`[${'1,'.repeat(6000)}`)).rejects.toMatchObject({ code: 'too_many_events' });
    expect(recorded).toEqual([]);
  });
});
