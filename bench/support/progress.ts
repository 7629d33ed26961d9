/** Says what is going on; the results go to the standard output. */
export function logProgress(line: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);
}
