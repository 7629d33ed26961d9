import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { EventTypes } from '../event-types/event-types.cache.js';
import { ANYBODY } from '../auth/caller.js';
import { JsonBody, NdjsonBody } from '../platform/http/bodies.js';
import { Problem } from '../platform/http/problem.js';
import type { NewRejection } from '../platform/model/rejection.js';
import { EventsPipe, type Submission } from './events.pipe.js';

const EVENT = {
  session_id: 'e2085be5-9137-4e4e-80b5-f1ffddc25423',
  category: 'page interaction',
  name: 'pageview',
  data: { host: 'www.consumeraffairs.com', path: '/' },
  timestamp: '2021-01-01 09:15:29.243860',
};
const EMOJI = '\u{1F600}';

/** Milliseconds, on a busy machine; work that grew with the square of the text would take many minutes. */
const REASONABLE = 20_000;

const recorded: NewRejection[] = [];
const eventTypes = new EventTypes();
eventTypes.update([]);
const pipe = new EventsPipe(eventTypes, {
  record: (rejection) => void recorded.push(rejection),
});
const sendText = (text: string) => pipe.transform(new JsonBody(text, ANYBODY));
const send = (value: unknown) => sendText(JSON.stringify(value));

function sendLines(...lines: string[]): Promise<Submission> {
  return pipe.transform(
    new NdjsonBody(
      (async function* () {
        for (const line of lines) yield await Promise.resolve(line);
      })(),
      ANYBODY,
    ),
  );
}

async function problemOf(submission: Promise<Submission>): Promise<Problem> {
  const outcome = await submission.catch((error: unknown) => error);
  if (outcome instanceof Problem) return outcome;
  throw new Error(`No problem: ${JSON.stringify(outcome)}`);
}

/** The messages by field for one event that is sent alone. */
async function errorsOf(submission: Promise<Submission>): Promise<unknown> {
  const { status, code, extensions } = await problemOf(submission);
  expect({ status, code }).toEqual({ status: 400, code: 'invalid' });
  return extensions.errors;
}

const nested = (levels: number) => `${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`;
const withData = (data: string) => `{"session_id":"s","category":"c","name":"n","data":${data}}`;

describe('an event', () => {
  it('is identified, its time spelt canonically', async () => {
    expect(await send(EVENT)).toEqual({
      many: false,
      refused: [],
      events: [
        {
          ...EVENT,
          application: 'default',
          id: '0176bd3b-005b-8e87-b810-d98f192d5f04',
          timestamp: '2021-01-01T09:15:29.243860Z',
          data_sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        },
      ],
    });
  });

  it('without data and timestamp has an empty payload and happens now', async () => {
    const before = new Date().toISOString();
    const { events } = await send({ session_id: 's', category: 'c', name: 'n' });
    expect(events[0]?.data).toEqual({});
    expect((events[0]?.timestamp ?? '') >= before.slice(0, -1)).toBe(true);
    expect((events[0]?.timestamp ?? '') <= `${new Date().toISOString().slice(0, -1)}999Z`).toBe(true);
  });

  it('keeps its payload as it was sent', async () => {
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
        }
      }),
    );
  });
});

describe('a field', () => {
  const texts = ['session_id', 'category', 'name'];
  const nearFuture = () => new Date(Date.now() + 290_000).toISOString();
  const farFuture = () => new Date(Date.now() + 310_000).toISOString();

  it('that is missing is named, each of them', async () => {
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
    ['timestamp', 1609492529, 'Must be a string.'],
    ['timestamp', '2021-02-30T00:00:00', 'This day does not exist.'],
    ['timestamp', 'now', 'Must be an ISO 8601 date-time such as 2021-01-01T09:15:29.243860Z.'],
  ])('%s must not be %j: %s', async (field, value, message) => {
    expect(await errorsOf(send({ ...EVENT, [field]: value }))).toEqual({ [field]: [message] });
  });

  it.each([
    ['letters', 'é'],
    ['emoji', EMOJI],
  ])('of 255 characters is taken, of 256 refused: %s', async (_, character) => {
    expect((await send({ ...EVENT, name: character.repeat(255) })).events).toHaveLength(1);
    for (const field of texts) {
      expect(await errorsOf(send({ ...EVENT, [field]: character.repeat(256) }))).toEqual({
        [field]: ['Must not exceed 255 characters.'],
      });
    }
  });

  it('may be long only while the three fit into an index row together', async () => {
    const wide = { session_id: EMOJI.repeat(200), category: EMOJI.repeat(200), name: EMOJI.repeat(200) };
    expect((await send(wide)).events).toHaveLength(1);
    expect(await errorsOf(send({ ...wide, name: EMOJI.repeat(201) }))).toEqual({
      session_id: ['session_id, category and name together must not exceed 2400 bytes in UTF-8.'],
    });
  });

  it('timestamp may lie five minutes ahead, not more', async () => {
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

  it('that is bad does not hide another', async () => {
    expect(await errorsOf(send({ ...EVENT, category: '', data: 1, colour: 'red' }))).toEqual({
      category: ['Must not be empty.'],
      data: ['Must be a JSON object.'],
      colour: ['Unknown field.'],
    });
  });
});

describe('a payload', () => {
  it('of 65,536 bytes is taken, of one more refused', async () => {
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

  it('is measured without its blanks', async () => {
    expect((await sendText(withData(`{${' '.repeat(70_000)}}`))).events).toHaveLength(1);
  });

  it('of 100 levels is taken, of 101 refused', async () => {
    expect((await sendText(withData(nested(100)))).events).toHaveLength(1);
    expect(await errorsOf(sendText(withData(nested(101))))).toEqual({
      data: ['Nested more than 100 levels deep.'],
    });
  });

  it.each([
    ['{"form":[{"amount":9007199254740993}]}', 'data.form.0.amount', 'cannot be kept exactly'],
    ['{"a":1,"a":2}', 'data.a', 'stands twice'],
    [String.raw`{"form":["\u0000"]}`, 'data.form.0', 'U+0000'],
    [String.raw`{"form":{"\ud800":1}}`, 'data.form.\uD800', 'surrogate'],
  ])('%s cannot be kept as it is, and the place is named', async (data, place, reason) => {
    const errors = await errorsOf(sendText(withData(data)));
    expect(Object.entries(errors as object)).toEqual([[place, [expect.stringContaining(reason)]]]);
  });
});

describe('many events', () => {
  const bad = { ...EVENT, timestamp: '2021-02-30' };

  it.each([
    ['an array', (...values: unknown[]) => send(values)],
    ['NDJSON', (...values: unknown[]) => sendLines(...values.map((value) => JSON.stringify(value)))],
  ])('in %s are taken in their order, the bad ones named by their place', async (_, sendAll) => {
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
  });

  it('are many even where there is one', async () => {
    expect((await send([EVENT])).many).toBe(true);
    expect((await sendLines(JSON.stringify(EVENT))).many).toBe(true);
  });

  it('with a number that cannot be kept in one of them lose only that one', async () => {
    const { events, refused } = await sendText(
      `[${withData('{}')},${withData('{"n":[1e400]}')},${withData('{}')}]`,
    );
    expect(events).toHaveLength(2);
    expect(refused).toEqual([{ index: 1, errors: { 'data.n.0': [expect.stringContaining('1e400')] } }]);
  });

  it('in NDJSON survive a line that is no JSON', async () => {
    const { events, refused } = await sendLines(JSON.stringify(EVENT), '{"name":', JSON.stringify(EVENT));
    expect(events).toHaveLength(2);
    expect(refused).toEqual([{ index: 1, errors: { event: [expect.stringMatching(/^Not valid JSON: /)] } }]);
  });

  it('that are all refused are a problem with each of them', async () => {
    const { status, extensions } = await problemOf(send([bad, 42]));
    expect(status).toBe(400);
    expect(extensions).toMatchObject({ accepted: 0, ids: [], rejected: [{ index: 0 }, { index: 1 }] });
  });

  it('may be 5,000, not more', async () => {
    const event = withData('{}');
    const array = (count: number) => `[${new Array<string>(count).fill(event).join(',')}]`;
    expect((await sendText(array(5000))).events).toHaveLength(5000);
    for (const submission of [sendText(array(5001)), sendLines(...new Array<string>(5001).fill('null'))]) {
      expect(await problemOf(submission)).toMatchObject({ status: 413, code: 'too_many_events' });
    }
  });
});

describe('a body', () => {
  it.each([
    ['no body', () => pipe.transform(undefined)],
    ['an empty body', () => sendText('')],
    ['blanks', () => sendText(' \n')],
    ['an empty array', () => sendText('[]')],
    ['NDJSON without lines', () => sendLines()],
  ])('without events is a problem: %s', async (_, submission) => {
    expect(await problemOf(submission())).toMatchObject({ status: 400, code: 'empty_body' });
  });

  it('that is no JSON is a problem as a whole', async () => {
    expect(await problemOf(sendText(`[${JSON.stringify(EVENT)},`))).toMatchObject({
      status: 400,
      code: 'malformed_json',
    });
  });

  it('that is another kind of JSON holds no event', async () => {
    for (const text of ['null', '42', '"text"', 'true']) {
      expect(await errorsOf(sendText(text))).toEqual({ event: ['Must be a JSON object.'] });
    }
  });

  it('that breaks off says so, instead of taking what came before', async () => {
    const broken = (async function* () {
      yield await Promise.resolve(JSON.stringify(EVENT));
      throw new Error('The sender went away.');
    })();
    await expect(pipe.transform(new NdjsonBody(broken, ANYBODY))).rejects.toThrow('The sender went away.');
  });

  it('nested a million deep is refused in reasonable time', async () => {
    const started = performance.now();
    const text = '['.repeat(1_000_000) + ']'.repeat(1_000_000);
    expect(await errorsOf(sendText(withData(text)))).toEqual({ data: ['Nested more than 100 levels deep.'] });
    expect(performance.now() - started).toBeLessThan(REASONABLE);
  });
});
