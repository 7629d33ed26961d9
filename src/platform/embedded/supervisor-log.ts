import { appendFileSync, renameSync, statSync } from 'node:fs';

const MAX_BYTES = 5 * 1024 * 1024;

/** Appends one line to the log. `source` is the supervisor or the name of a server. */
export type WriteLog = (source: string, line: string) => void;

/** Opens a log for appending. At `MAX_BYTES` it is renamed to `<file>.1`, which replaces the previous one. */
export function openSupervisorLog(file: string): WriteLog {
  let size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return (source, line) => {
    const text = `${new Date().toISOString()} ${source}: ${line}\n`;
    size += Buffer.byteLength(text);
    if (size > MAX_BYTES) {
      renameSync(file, `${file}.1`);
      size = Buffer.byteLength(text);
    }
    appendFileSync(file, text, { mode: 0o600 });
  };
}
