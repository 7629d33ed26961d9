/** Logs progress to stderr; results go to stdout. */
export function logProgress(line: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);
}
