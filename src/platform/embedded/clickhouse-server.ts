import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Folders } from './folders.js';
import { spawned, withParentDeathSignal } from './processes.js';
import type { ServerDefinition } from './server-definition.js';

const PROBE_TIMEOUT_MS = 1000;

/** Threads that wait for the engine: more than the statements that run at once, of which each occupies one. */
const THREADS = 24;

const MEBIBYTE = 1024 * 1024;

/**
 * Makes glibc return the buffers of answers to the system. By its own rules it keeps hundreds of megabytes.
 * @see https://man7.org/linux/man-pages/man3/mallopt.3.html
 */
const MALLOC = {
  MALLOC_MMAP_THRESHOLD_: String(256 * 1024),
  MALLOC_TRIM_THRESHOLD_: String(MEBIBYTE),
  MALLOC_ARENA_MAX: '2',
};

/**
 * Merges and rewrites of parts that ClickHouse has begun at most. A removal changes many small parts; with fewer places for them in
 * the queue of the thread, ClickHouse pauses after each.
 */
const MERGES_AT_ONCE = 8;

/**
 * Bounds the memory of inserts and merges, which fail beyond it and are tried again for ever.
 *
 * - An insert writes one file for all columns, not a file with buffers for each.
 * - A merge of a hundred parts at once, each read in blocks of 8,192 events of all columns, takes 260 MB. So it is of few parts in
 *   small blocks, and takes one column after the other, unless there are few events; and while it runs, another one is of small parts.
 * - The paths of payloads that share columns are written as maps. With the default, which finds one of them faster, no merge of
 *   payloads with many different paths succeeds.
 *
 * @see https://clickhouse.com/docs/operations/settings/merge-tree-settings
 */
const MERGE_TREE = {
  min_level_for_wide_part: 1,
  object_shared_data_serialization_version: 'map_with_buckets',
  merge_max_block_size: 1024,
  merge_max_block_size_bytes: MEBIBYTE,
  max_parts_to_merge_at_once: 10,
  vertical_merge_algorithm_min_columns_to_activate: 1,
  vertical_merge_algorithm_min_rows_to_activate: 20_000,
  number_of_free_entries_in_pool_to_lower_max_size_of_merge: MERGES_AT_ONCE,
  max_bytes_to_merge_at_min_space_in_pool: 1,
};

/**
 * Settings of work in the background, which options do not reach. Projections are calculated again, after events were removed,
 * from as many events at once as `min_insert_block_size_…` say: from 65,536, sessions of few events can take 100 MB.
 */
const CONFIGURATION = `<clickhouse>
  <merge_tree>${Object.entries(MERGE_TREE)
    .map(([name, value]) => `<${name}>${value}</${name}>`)
    .join('')}</merge_tree>
  <profiles><default>
    <min_insert_block_size_rows>16384</min_insert_block_size_rows>
    <min_insert_block_size_bytes>16777216</min_insert_block_size_bytes>
  </default></profiles>
  <users><default><password></password><networks><ip>::/0</ip></networks></default></users>
</clickhouse>
`;

/**
 * ClickHouse in a process of its own (chdb), behind its HTTP interface on a Unix socket.
 * @param program the built program of that process; tests, which run the source, name another path
 * @param changes settings of ClickHouse that differ, for tests
 */
export function clickhouseServer(
  folders: Folders,
  _log: (line: string) => void,
  program = fileURLToPath(new URL('./clickhouse/main.js', import.meta.url)),
  changes: Readonly<Record<string, number>> = {},
): ServerDefinition {
  const folder = join(folders.data, 'clickhouse');
  const configuration = join(folder, 'configuration.xml');

  /** Bounds the memory. The library itself takes 200 MB more, which are pages of its file. */
  const settings = {
    max_server_memory_usage: 240 * MEBIBYTE,
    max_memory_usage: 140 * MEBIBYTE,
    merges_mutations_memory_usage_soft_limit: 80 * MEBIBYTE,
    mark_cache_size: 24 * MEBIBYTE,
    index_mark_cache_size: 4 * MEBIBYTE,
    primary_index_cache_size: 24 * MEBIBYTE,
    uncompressed_cache_size: 0,
    index_uncompressed_cache_size: 0,
    query_condition_cache_size: 8 * MEBIBYTE,
    compiled_expression_cache_size: 8 * MEBIBYTE,
    text_index_header_cache_size: 4 * MEBIBYTE,
    text_index_postings_cache_size: 4 * MEBIBYTE,
    text_index_tokens_cache_size: 4 * MEBIBYTE,
    mmap_cache_size: 0,
    iceberg_metadata_files_cache_size: 0,
    parquet_metadata_cache_size: 0,
    vector_similarity_index_cache_size: 0,
    // One thread: two merges or rewrites of parts at a time, and an insert, need more than the memory.
    background_pool_size: 1,
    background_merges_mutations_concurrency_ratio: MERGES_AT_ONCE,
    background_schedule_pool_size: 2,
    // Milliseconds between two looks at the resident memory: by default 50, which is most of what an idle engine costs.
    memory_worker_period_ms: 500,
    ...changes,
  };

  return {
    name: 'ClickHouse',
    folder,
    pidFile: join(folder, 'clickhouse.pid'),
    stopSignals: ['SIGTERM', 'SIGKILL'],
    async prepare() {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeFile(configuration, CONFIGURATION);
    },
    async spawn() {
      const flags = [
        `--config-file=${configuration}`,
        `--users_config=${configuration}`,
        ...Object.entries(settings).map(([name, value]) => `--${name}=${value}`),
      ];
      const { file, args, options } = withParentDeathSignal(
        {
          file: process.execPath,
          args: [program, folder, folders.clickhouseSocket, ...flags],
          options: { cwd: folder },
        },
        'SIGTERM',
      );
      const env = { ...process.env, ...MALLOC, UV_THREADPOOL_SIZE: String(THREADS) };
      return spawned(spawn(file, args, { ...options, env, stdio: ['ignore', 'pipe', 'pipe'] }));
    },
    probe: () => ping(folders.clickhouseSocket),
  };
}

/** @throws Error unless ClickHouse responds */
function ping(socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path: '/ping', timeout: PROBE_TIMEOUT_MS }, (response) => {
      response.resume();
      if (response.statusCode === 200) resolve();
      else reject(new Error(`status ${response.statusCode}`));
    });
    sent.once('timeout', () => sent.destroy(new Error('no reply to /ping')));
    sent.once('error', reject).end();
  });
}
