import { appendFileSync, renameSync, statSync } from 'node:fs';

const LARGEST = 5 * 1024 * 1024;

/** Returns a function that writes lines to a file; once it is large it becomes `<file>.1`, in place of the one before. */
export function openSupervisorLog(file: string): (source: string, line: string) => void {
  let size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return (source, line) => {
    const text = `${new Date().toISOString()} ${source}: ${line}\n`;
    size += Buffer.byteLength(text);
    if (size > LARGEST) {
      renameSync(file, `${file}.1`);
      size = Buffer.byteLength(text);
    }
    appendFileSync(file, text, { mode: 0o600 });
  };
}
