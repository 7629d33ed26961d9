import pg from 'pg';
import { to } from 'pg-copy-streams';
import type { TheEye } from '../../testing/the-eye.js';
import { fill } from '../lists/fill.js';
import { onTheEye } from '../../testing/on-the-eye.js';
import { resetPeakMemoryOf, peakMemoryOf, residentMemoryOf } from '../support/processes.js';
import { logProgress } from '../support/progress.js';

export const EXPORT_KINDS = {
  copy: '`COPY` of the same rows in the same order',
  ndjson: 'The Eye, NDJSON',
  csv: 'The Eye, CSV',
  parquet: 'The Eye, Parquet',
} as const;

export type ExportKind = keyof typeof EXPORT_KINDS;

export interface ExportResult {
  /** Milliseconds until the first byte arrived. */
  firstByte: number;
  /** Seconds until the last byte arrived. */
  seconds: number;
  bytes: number;
  /** Peak memory of The Eye during the export minus its memory before, in bytes. Undefined for COPY. */
  grown?: number;
}

export interface ExportResults {
  sizes: number[];
  /** One entry per size. */
  exports: Record<ExportKind, ExportResult[]>;
}

/** Measures the export of all events, from a small and from a large table. */
export function measureExport(quick: boolean): Promise<ExportResults> {
  const sizes = quick ? [5000, 50_000] : [100_000, 1_000_000];
  return onTheEye(async (eye) => {
    const exports: ExportResults['exports'] = { copy: [], ndjson: [], csv: [], parquet: [] };
    for (const size of sizes) {
      await fill(eye, size);
      for (const kind of Object.keys(EXPORT_KINDS) as ExportKind[]) {
        logProgress(`export: ${EXPORT_KINDS[kind]}, ${size.toLocaleString('en')} events`);
        exports[kind].push(kind === 'copy' ? await measureCopy(eye) : await measureExportAs(eye, kind));
      }
    }
    return { sizes, exports };
  });
}

/** Reads and counts the bytes, like a client whose disk is faster than the server. */
async function measureDownload(open: () => Promise<AsyncIterable<Uint8Array>>): Promise<ExportResult> {
  const startedAt = performance.now();
  let [firstByte, bytes] = [NaN, 0];
  for await (const chunk of await open()) {
    if (bytes === 0) firstByte = performance.now() - startedAt;
    bytes += chunk.length;
  }
  return { firstByte, seconds: (performance.now() - startedAt) / 1000, bytes };
}

async function measureExportAs({ url, pid }: TheEye, format: string): Promise<ExportResult> {
  const before = await residentMemoryOf(pid);
  await resetPeakMemoryOf(pid);
  const result = await measureDownload(async () => {
    const response = await fetch(`${url}/events/export?format=${format}`);
    if (response.status !== 200 || response.body === null)
      throw new Error(`Export as ${format}: ${response.status} ${await response.text()}`);
    return response.body;
  });
  return { ...result, grown: (await peakMemoryOf(pid)) - before };
}

/** The limit set by PostgreSQL: the same rows as text. */
async function measureCopy({ databaseUrl }: TheEye): Promise<ExportResult> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const rows = 'SELECT * FROM events ORDER BY timestamp DESC, id DESC';
    return await measureDownload(() => Promise.resolve(client.query(to(`COPY (${rows}) TO STDOUT`))));
  } finally {
    await client.end();
  }
}
