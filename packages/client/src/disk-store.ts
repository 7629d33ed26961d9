import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, readFile, rename, truncate, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Store } from './types.js';

/** After a crash, a file is sent again as a whole, which The Eye stores once. So files are small. */
const MAX_FILE_BYTES = 256 * 1024;

/** One file of events, a line each. It is removed when none of them waits any more. */
interface Segment {
  readonly path: string;
  size: number;
  waiting: number;
}

interface Addition {
  readonly key: string;
  readonly json: string;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/** The instances of this process, by a part of the names of their files. */
const instances = new Set<string>();

/**
 * A queue in a folder, which survives the end of the process. Processes of one host may share the folder: each writes files of
 * its own, and takes over those of processes that have ended.
 * @param destination whose events only this queue sends
 */
export function diskStore(folder: string, destination: string): Store {
  const prefix = createHash('sha256').update(destination).digest('hex').slice(0, 12);
  const host = hostname().replaceAll(/[^\w-]/g, '_');
  const instance = randomBytes(6).toString('hex');
  instances.add(instance);

  const events = new Map<string, { json: string; segment: Segment }>();
  let segments = 0;
  let current: { segment: Segment; handle: FileHandle } | undefined;
  let additions: Addition[] = [];
  let work: Promise<void> = takeOver();

  const newPath = (): string =>
    join(
      folder,
      `${prefix}.${host}.${process.pid}.${instance}.${String(segments++).padStart(6, '0')}.ndjson`,
    );

  async function takeOver(): Promise<void> {
    await mkdir(folder, { recursive: true });
    const names = (await readdir(folder)).filter((name) => name.startsWith(`${prefix}.`)).sort();
    for (const name of names) if (isAbandoned(name, host)) await adopt(join(folder, name));
  }

  async function adopt(from: string): Promise<void> {
    const segment: Segment = { path: newPath(), size: MAX_FILE_BYTES, waiting: 0 };
    try {
      // Of several processes, one succeeds.
      await rename(from, segment.path);
    } catch {
      return;
    }
    for (const line of (await readFile(segment.path, 'utf8')).split('\n')) {
      if (!isJson(line)) continue;
      // Sorts before everything that is new.
      events.set(`0${segment.path}${segment.waiting++}`, { json: line, segment });
    }
    if (segment.waiting === 0) await unlink(segment.path);
  }

  /** Writes all additions that came while the ones before were written. */
  async function write(): Promise<void> {
    const batch = additions;
    additions = [];
    if (batch.length === 0) return;
    try {
      current ??= await newSegment();
      const { segment, handle } = current;
      const text = batch.map(({ json }) => `${json}\n`).join('');
      try {
        await handle.appendFile(text);
        await handle.datasync();
      } catch (error) {
        // The end of the file may be half a line.
        current = undefined;
        await truncate(segment.path, segment.size).catch(() => undefined);
        await handle.close();
        if (segment.waiting === 0) await unlink(segment.path);
        throw error;
      }
      segment.size += Buffer.byteLength(text);
      for (const { key, json, done } of batch) {
        segment.waiting++;
        events.set(key, { json, segment });
        done();
      }
      if (segment.size > MAX_FILE_BYTES) await finish();
    } catch (error) {
      for (const { failed } of batch) failed(error);
    }
  }

  async function newSegment(): Promise<NonNullable<typeof current>> {
    const segment: Segment = { path: newPath(), size: 0, waiting: 0 };
    const handle = await open(segment.path, 'a');
    // The name of the file has to be durable, too. Windows cannot open folders, and need not.
    const directory = await open(folder, 'r').catch(() => undefined);
    await directory?.sync().catch(() => undefined);
    await directory?.close();
    return { segment, handle };
  }

  /** Stops writing to the current file. */
  async function finish(): Promise<void> {
    const finished = current;
    current = undefined;
    // What was accepted is on the disk already.
    await finished?.handle.close().catch(() => undefined);
    if (finished?.segment.waiting === 0) await unlink(finished.segment.path).catch(() => undefined);
  }

  const enqueue = (task: () => Promise<void>): Promise<void> =>
    (work = work.catch(() => undefined).then(task));

  return {
    keys: () => [...events.keys()],
    get: (key) => events.get(key)?.json,
    add: (key, json) =>
      new Promise((done, failed) => {
        additions.push({ key, json, done, failed });
        if (additions.length === 1) void enqueue(write);
      }),
    remove(key) {
      const segment = events.get(key)?.segment;
      events.delete(key);
      if (!segment || --segment.waiting > 0) return;
      void enqueue(async () => {
        // Something may have been added to it meanwhile.
        if (segment.waiting > 0) return;
        if (current?.segment === segment) await finish();
        else await unlink(segment.path).catch(() => undefined);
      });
    },
    ready: () => work,
    async close() {
      await enqueue(write);
      await enqueue(finish);
      instances.delete(instance);
    },
  };
}

/** Whether the process that wrote a file is gone, judging by its name. */
function isAbandoned(name: string, host: string): boolean {
  const [, itsHost, pid, instance = ''] = name.split('.');
  if (itsHost !== host || Number(pid) === process.pid) return !instances.has(instance);
  try {
    // Signal 0 only asks whether the process exists. If another one has its id by now, a later start takes the file over.
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function isJson(line: string): boolean {
  try {
    return typeof JSON.parse(line) === 'object';
  } catch {
    // The end of a write that a crash has cut off. It was never accepted.
    return false;
  }
}
