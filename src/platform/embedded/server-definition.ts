import type { ChildProcess } from 'node:child_process';

/** What the supervisor needs to know about a server in order to run it. */
export interface ServerDefinition {
  /** For the log, such as `PostgreSQL`. */
  readonly name: string;
  /** Holds the server's data and is its working directory. */
  readonly folder: string;
  readonly pidFile: string;
  /** The first signal stops the server cleanly; each of the others is used when the one before had no effect. */
  readonly stopSignals: readonly NodeJS.Signals[];
  /** Prepares the first start of a supervisor, such as an installation or an `initdb`. Does nothing twice. */
  prepare(): Promise<void>;
  /** Removes what a crash left behind, and spawns the server with its output piped. */
  spawn(): Promise<ChildProcess>;
  /** Resolves when the server accepts commands; rejects otherwise. */
  probe(): Promise<void>;
}
