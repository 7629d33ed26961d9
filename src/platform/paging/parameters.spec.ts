import { InvalidParametersError } from '../errors/domain-error.js';
import { DateBound, InstantBound, TimestampBound } from './parameters.js';
import type { CalendarDate, Timestamp } from '../time/timestamp.js';
import { queryPipe } from './query.pipe.js';

class RangeDto {
  @TimestampBound('after', '', '')
  after?: string;

  @TimestampBound('before', '', '')
  before?: string;

  @InstantBound('before', '', '')
  instant?: Timestamp;

  @DateBound('', '')
  date?: CalendarDate | Timestamp;
}

const read = (query: object): Promise<RangeDto> =>
  queryPipe.transform(query, { type: 'query', metatype: RangeDto }) as Promise<RangeDto>;

describe('TimestampBound', () => {
  it.each([
    [{ after: '2021-01-01' }, { after: '2021-01-01T00:00:00.000000Z' }],
    [{ before: '2021-01-01' }, { before: '2021-01-01T23:59:59.999999Z' }],
    [{ after: '2021-01-01T09:15+02:00' }, { after: '2021-01-01T07:15:00.000000Z' }],
  ])('reads %j as a canonical timestamp', async (query, dto) => {
    expect(await read(query)).toEqual(dto);
  });

  it('accepts a query without the parameter', async () => {
    expect(await read({})).toEqual({});
  });

  it.each([
    [{ after: '2021-02-30' }, 'This day does not exist.'],
    [{ after: '' }, 'Must be an ISO 8601 date or date-time'],
    [{ after: ['2021-01-01', '2021-01-01'] }, 'Must be given once.'],
    [{ after: null }, 'Must be a string.'],
  ])('rejects %j', async (query, message) => {
    const error: unknown = await read(query).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InvalidParametersError);
    expect((error as InvalidParametersError).errors).toEqual({ after: [expect.stringContaining(message)] });
  });
});

describe('InstantBound', () => {
  it('reads the milliseconds too', async () => {
    const text = '1970-01-01T23:59:59.999999Z';
    expect(await read({ instant: '1970-01-01' })).toEqual({ instant: { text, milliseconds: 86_399_999 } });
  });
});

describe('DateBound', () => {
  it('leaves a date without a time zone', async () => {
    expect(await read({ date: '2021-01-01' })).toEqual({ date: { date: '2021-01-01' } });
  });

  it('reads a date-time as a timestamp', async () => {
    const timestamp = { text: '1970-01-01T00:00:01.000000Z', milliseconds: 1000 };
    expect(await read({ date: '1970-01-01T02:00:01+02:00' })).toEqual({ date: timestamp });
  });

  it.each(['yesterday', '2021-02-30'])('rejects %s', async (date) => {
    await expect(read({ date })).rejects.toBeInstanceOf(InvalidParametersError);
  });
});

describe('queryPipe', () => {
  const errorsOf = async (query: object): Promise<unknown> => {
    try {
      return await read(query);
    } catch (error) {
      return (error as InvalidParametersError).errors;
    }
  };

  it.each(['colour', '__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'rejects the unknown parameter %s',
    async (name) => {
      // As the parser of query strings makes it: without a prototype, so that `__proto__` is a key like any other.
      const query = Object.assign(Object.create(null) as object, JSON.parse(`{"${name}":"x"}`));
      Object.defineProperty(query, name, { value: 'x', enumerable: true });
      expect(Object.entries((await errorsOf(query)) as object)).toEqual([[name, ['Unknown parameter.']]]);
    },
  );
});
