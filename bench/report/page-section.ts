import { VIEWS, type Watched } from '../page/page.js';
import { spell, table } from './table.js';

export function pageSection(watched: Watched[]): string {
  return `## The page

In headless Chromium on the same cores, without a graphics card, while nothing comes and while arrays of 50 come at even times. *Blocked* is
how long a second scripts kept the page from answering (what their tasks took beyond 50 ms).

${table(
  [
    'view',
    'events/s',
    'pictures/s',
    'from one to the next, p50, ms',
    'p99, ms',
    'longest, ms',
    'blocked, ms/s',
    'heap, MiB',
  ],
  watched.map(({ view, rate, frames, p50, p99, longest, blocked, heap }) => [
    VIEWS[view],
    ...[rate, frames, p50, p99, longest, blocked, heap / 2 ** 20].map(spell),
  ]),
)}
`;
}
