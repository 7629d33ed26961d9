/** The code of a system error, e.g. `ENOENT`. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** What an error says, for a log line or for another process. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
