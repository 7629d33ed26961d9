import { VIEWS, type PageResult } from '../page/page.js';
import { formatNumber, table } from '../../testing/table.js';

export function pageSection(results: PageResult[]): string {
  return `## The page

In headless Chromium on the same cores, without a graphics card, while no events arrive and while arrays of 50 arrive at even intervals.
*Blocked* is the time per second in which scripts kept the page from responding (the part of their tasks beyond 50 ms).

${table(
  [
    'view',
    'events/s',
    'frames/s',
    'frame interval, p50, ms',
    'p99, ms',
    'longest, ms',
    'blocked, ms/s',
    'heap, MiB',
  ],
  results.map(({ view, rate, frames, p50, p99, longest, blocked, heap }) => [
    VIEWS[view],
    ...[rate, frames, p50, p99, longest, blocked, heap / 2 ** 20].map(formatNumber),
  ]),
)}
`;
}
