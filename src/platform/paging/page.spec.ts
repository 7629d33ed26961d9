import { type PagedList, readPage } from './page.js';

const ROWS = Array.from({ length: 25 }, (_, index) => ({
  timestamp: `2021-01-01T00:00:00.0000${String(99 - index)}Z`,
  id: `0176bb6f-2c00-8000-8000-0000000000${String(99 - index)}`,
}));

/** A list of so many rows, which somebody adds to between the look at the page and the look at the count. */
const list = (length: number, counted: number): PagedList<(typeof ROWS)[number]> => ({
  newestFirst: true,
  query: 'q',
  cursorKey: (row) => row,
  find: ({ limit, offset = 0 }) => Promise.resolve(ROWS.slice(0, length).slice(offset, offset + limit)),
  count: () => Promise.resolve({ count: counted, isEstimate: false }),
});

describe('the count of a page', () => {
  it.each([
    ['nothing, where the page holds nothing', 0, {}, 0],
    ['what the page holds, where that is all', 3, {}, 3],
    ['what the page holds, where that is just all', 10, {}, 10],
    ['what lies before the last page and on it', 25, { page: 3 }, 25],
    ['what was counted, where the list goes on', 11, {}, 60],
    ['what was counted, beyond the end', 25, { page: 4 }, 60],
  ])('is %s', async (_, length, asked, count) => {
    expect(await readPage(list(length, 60), asked)).toMatchObject({ count, isEstimate: false });
  });

  it('is what was counted, on a page that a cursor leads to', async () => {
    const { next } = await readPage(list(25, 60), { page: 2 });
    expect(await readPage(list(3, 60), { cursor: next ?? '' })).toMatchObject({ count: 60 });
  });
});
