/** Codes of ClickHouse's exceptions by the status with which its server responds to them. */
const CODES: Readonly<Record<number, readonly number[]>> = {
  // A text that cannot be parsed, a type that does not fit, SYNTAX_ERROR, BAD_ARGUMENTS and the like.
  400: [
    6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321, 376, 427, 441, 675,
    676,
  ],
  // ACCESS_DENIED, WRONG_PASSWORD and the like.
  403: [192, 193, 497, 512, 516],
  // UNKNOWN_TABLE, UNKNOWN_IDENTIFIER and the like.
  404: [46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511],
  // TIMEOUT_EXCEEDED
  408: [159],
  // QUERY_IS_TOO_LARGE
  413: [229],
  // UNSUPPORTED_MEDIA_TYPE
  415: [779],
  // NOT_IMPLEMENTED
  501: [48],
  // CANNOT_OPEN_FILE, SOCKET_TIMEOUT, CANNOT_SCHEDULE_TASK
  503: [76, 209, 439],
};

const STATUSES = new Map(
  Object.entries(CODES).flatMap(([status, codes]) => codes.map((code) => [code, Number(status)])),
);

/** ClickHouse's code of an exception that has none of its own (UNKNOWN_EXCEPTION). */
const UNKNOWN_EXCEPTION = 1002;

/** The code of an exception of ClickHouse, which stands at the beginning of its message. */
export const codeOf = (message: string): number =>
  Number(/^Code: (\d+)/.exec(message)?.[1] ?? UNKNOWN_EXCEPTION);

/** The HTTP status of an exception. */
export const statusOf = (code: number): number => STATUSES.get(code) ?? 500;

/** ClickHouse's code of a statement without enough memory (MEMORY_LIMIT_EXCEEDED). */
const OUT_OF_MEMORY = 241;

/** In the message of such an exception: of the limit of the whole server, as opposed to that of one statement. */
export const SERVER_MEMORY = /\(total\) memory limit/;

export const isMemoryLimit = (error: unknown): error is Error =>
  error instanceof Error && codeOf(error.message) === OUT_OF_MEMORY;

export const isServerMemoryLimit = (error: unknown): boolean =>
  isMemoryLimit(error) && SERVER_MEMORY.test(error.message);
