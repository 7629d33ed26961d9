import { InvalidParametersError } from '../errors/domain-error.js';
import { Bound, TimestampBound } from './parameters.js';
import { queryPipe } from './query.pipe.js';

class RangeDto {
  @TimestampBound('after', '', '')
  after?: string;

  @TimestampBound('before', '', '')
  before?: string;

  @Bound('before', '', '')
  raw?: string;
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

describe('Bound', () => {
  it('leaves the text as it was sent', async () => {
    expect(await read({ raw: '2021-01-01' })).toEqual({ raw: '2021-01-01' });
  });

  it('rejects what TimestampBound rejects', async () => {
    await expect(read({ raw: 'yesterday' })).rejects.toBeInstanceOf(InvalidParametersError);
  });
});
