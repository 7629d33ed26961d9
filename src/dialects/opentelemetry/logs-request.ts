/** The members of a JSON object without its braces, as `"name":"shop"`: bytes as Latin-1. Empty without members. */
export type Members = string;

/** The log records of one resource. */
export interface ResourceLogs {
  /** The other members of the message. */
  readonly members: Members;
  readonly scopes: readonly ScopeLogs[];
}

/** The log records of one instrumentation scope. */
export interface ScopeLogs {
  /** The other members of the message. */
  readonly members: Members;
  /** Each in the encoding of the request. */
  readonly records: readonly Buffer[];
}

/** How a request is encoded. The texts of both encodings are JSON of OTLP. */
export interface LogsEncoding {
  /**
   * Divides a request into its records.
   * @throws DomainError `malformed_json`, `malformed_protobuf`, `invalid`, `too_many_events`, `resource_too_large`
   */
  readonly divide: (bytes: Buffer, maxRecords: number) => Promise<readonly ResourceLogs[]>;
  /** False if it is certain that a record has no event name, which is much cheaper to find out than its text. */
  readonly mayHaveEventName: (record: Buffer) => boolean;
  /**
   * The JSON text of a record: bytes as Latin-1, so that invalid UTF-8 stays as it is and only its record is refused.
   * @returns undefined for a record that is too large to be written
   * @throws DomainError `malformed_protobuf`
   */
  readonly textOf: (record: Buffer) => string | undefined;
}
