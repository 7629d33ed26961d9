import { type PagedList, readPage } from './page.js';

const ROWS = Array.from({ length: 25 }, (_, index) => ({
  timestamp: `2021-01-01T00:00:00.0000${String(99 - index)}Z`,
  id: `0176bb6f-2c00-8000-8000-0000000000${String(99 - index)}`,
}));

/** A list of `length` rows, which has `counted` rows when it is counted. */
const list = (length: number, counted: number): PagedList<(typeof ROWS)[number]> => ({
  newestFirst: true,
  query: 'q',
  cursorKey: (row) => row,
  find: ({ limit, offset = 0 }) =>
    Promise.resolve({ rows: ROWS.slice(0, length).slice(offset, offset + limit), isCut: false }),
  count: () => Promise.resolve({ count: counted, isEstimate: false }),
});

describe('The count of a page', () => {
  it.each([
    ['0 for an empty list', 0, {}, 0],
    ['the number of rows on the only page', 3, {}, 3],
    ['the number of rows on the only page, if it is full', 10, {}, 10],
    ['the offset plus the rows of the last page', 25, { page: 3 }, 25],
    ['the separate count, if there are more pages', 11, {}, 60],
    ['the separate count, if the page lies beyond the end', 25, { page: 4 }, 60],
  ])('is %s', async (_, length, parameters, count) => {
    expect(await readPage(list(length, 60), parameters)).toMatchObject({ count, isEstimate: false });
  });

  it('is never less than the rows of the page and those before it, because an estimate may miss a few', async () => {
    expect(await readPage(list(25, 0), {})).toMatchObject({ count: 11 });
    expect(await readPage(list(25, 4), { page: 2 })).toMatchObject({ count: 21 });
  });

  it('is not asked for on the last page', async () => {
    const fails = { ...list(3, 60), count: () => Promise.reject(new Error('not needed')) };
    expect(await readPage(fails, {})).toMatchObject({ count: 3, isEstimate: false });
  });

  it('is the separate count on a page that was reached by a cursor', async () => {
    const { next } = await readPage(list(25, 60), { page: 2 });
    expect(await readPage(list(3, 60), { cursor: next ?? '' })).toMatchObject({ count: 60 });
  });
});
