import pg from 'pg';
import { to } from 'pg-copy-streams';
import type { TheEye } from '../../testing/the-eye.js';
import { fill } from '../ask/fill.js';
import { onTheEye } from '../../testing/on-the-eye.js';
import { forgetPeakOf, peakOf, residentOf } from '../support/processes.js';
import { progress } from '../support/progress.js';

export const EXPORTS = {
  copy: '`COPY` of the same rows in the same order',
  ndjson: 'The Eye, NDJSON',
  csv: 'The Eye, CSV',
  parquet: 'The Eye, Parquet',
} as const;

export type Exporting = keyof typeof EXPORTS;

export interface Exported {
  /** Milliseconds until the first byte had come. */
  firstByte: number;
  /** Until the last one had. */
  seconds: number;
  bytes: number;
  /** Bytes by which The Eye grew meanwhile, at its largest; of COPY it has no part. */
  grown?: number;
}

export interface ExportResults {
  sizes: number[];
  /** A figure for each size. */
  exports: Record<Exporting, Exported[]>;
}

/** What it takes to take everything out, of a small and of a large table. */
export function measureExport(quick: boolean): Promise<ExportResults> {
  const sizes = quick ? [5000, 50_000] : [100_000, 1_000_000];
  return onTheEye(async (eye) => {
    const exports: ExportResults['exports'] = { copy: [], ndjson: [], csv: [], parquet: [] };
    for (const size of sizes) {
      await fill(eye, size);
      for (const who of Object.keys(EXPORTS) as Exporting[]) {
        progress(`export: ${EXPORTS[who]}, ${size.toLocaleString('en')} events`);
        exports[who].push(who === 'copy' ? await copied(eye) : await exported(eye, who));
      }
    }
    return { sizes, exports };
  });
}

/** Reads and counts, as a client does that writes it all to a file faster than it comes. */
async function received(open: () => Promise<AsyncIterable<Uint8Array>>): Promise<Exported> {
  const began = performance.now();
  let [firstByte, bytes] = [NaN, 0];
  for await (const piece of await open()) {
    if (bytes === 0) firstByte = performance.now() - began;
    bytes += piece.length;
  }
  return { firstByte, seconds: (performance.now() - began) / 1000, bytes };
}

async function exported({ url, process: { pid = 0 } }: TheEye, format: string): Promise<Exported> {
  const before = await residentOf(pid);
  await forgetPeakOf(pid);
  const done = await received(async () => {
    const response = await fetch(`${url}/events/export?format=${format}`);
    if (response.status !== 200 || response.body === null)
      throw new Error(`Export as ${format}: ${response.status} ${await response.text()}`);
    return response.body;
  });
  return { ...done, grown: (await peakOf(pid)) - before };
}

/** The limit of PostgreSQL: the same rows as text. */
async function copied({ databaseUrl }: TheEye): Promise<Exported> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const rows = 'SELECT * FROM events ORDER BY timestamp DESC, id DESC';
    return await received(() => Promise.resolve(client.query(to(`COPY (${rows}) TO STDOUT`))));
  } finally {
    await client.end();
  }
}
