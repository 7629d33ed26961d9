import type { Queue } from 'bull';

/**
 * Makes one queue ignore that its connection could not be named.
 *
 * Bull 4.16.5 names the blocking connection with `CLIENT SETNAME` when processing starts, sometimes only after the first
 * blocking command. A process that stops in between closes the connection. Bull does not catch the error that follows, so
 * it would end the process as an unhandled rejection. Nothing uses the name.
 */
export function ignoreWorkerNameErrors(queue: Queue): void {
  // Bull's types leave out this public method.
  const named = queue as Queue & { setWorkerName: () => Promise<unknown> };
  const setWorkerName = named.setWorkerName.bind(queue);
  named.setWorkerName = () => setWorkerName().catch(() => undefined);
}
