import { DomainError } from '../platform/errors/domain-error.js';
import { openEnvelope } from './envelope.js';

const open = async (text: string): Promise<{ items: string; members: unknown }> => {
  const { items, members } = await openEnvelope(Buffer.from(text), 'batch');
  return { items: items.toString(), members };
};

describe('openEnvelope', () => {
  it.each([
    ['{"batch":[1,{"a":[2]}],"key":"k"}', '[1,{"a":[2]}]', { batch: [], key: 'k' }],
    [' {"key" : "k" , "batch" : [ ] } ', '[ ]', { batch: [], key: 'k' }],
    ['{"a":{"batch":[1]},"batch":[2]}', '[2]', { a: { batch: [1] }, batch: [] }],
    ['{"a":"batch","batch":[2]}', '[2]', { a: 'batch', batch: [] }],
    ['{"a":"\\"batch\\":[1]","batch":["]","\\\\"]}', '["]","\\\\"]', { a: '"batch":[1]', batch: [] }],
    ['[{"batch":[1]}]', '[{"batch":[1]}]', {}],
    [
      '{"event":"e","batch":"no array"}',
      '{"event":"e","batch":"no array"}',
      { event: 'e', batch: 'no array' },
    ],
  ])('finds the items of %s', async (text, items, members) => {
    expect(await open(text)).toEqual({ items, members });
  });

  it('takes a byte order mark', async () => {
    expect(await open('\ufeff{"batch":[1]}')).toEqual({ items: '[1]', members: { batch: [] } });
  });

  it('parses no items, which may be malformed', async () => {
    expect(await open('{"batch":[nope]}')).toMatchObject({ items: '[nope]' });
  });

  it.each([
    ['', 'empty_body'],
    [' \n', 'empty_body'],
    ['{"batch":[1]', 'malformed_json'],
    ['{"batch":[1]}}', 'malformed_json'],
    ['{"batch":[1],"key":}', 'malformed_json'],
    ['{"batch":[1],"batch":[2]}', 'malformed_json'],
    ['{"key":"', 'malformed_json'],
  ])('refuses %j as %s', async (text, code) => {
    const error: unknown = await open(text).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DomainError);
    expect(error).toMatchObject({ code });
  });
});
