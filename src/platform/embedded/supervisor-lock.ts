import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { lock } from 'proper-lockfile';
import { errorCode } from './errors.js';
import type { Folders } from './folders.js';

const LOCK_TIMEOUT_MS = 10_000;
const LOCK_RETRY_INTERVAL_MS = 100;
/** After this time without a refresh, the lock of a killed supervisor no longer counts. */
const LOCK_STALE_MS = 4000;
const LOCK_REFRESH_INTERVAL_MS = 1000;

/**
 * Takes the lock that makes this process the only supervisor of the data folder. The socket alone does not exclude a
 * second supervisor: one in another container, or with another TMPDIR, shares the data folder and not the socket.
 * @param onLost called when another process has taken the lock, for instance while this machine was suspended
 * @returns false when another supervisor is listening on the socket
 * @throws Error when the lock is held and no supervisor can be reached
 */
export async function acquireLock(folders: Folders, onLost: () => void): Promise<boolean> {
  const deadline = Date.now() + LOCK_TIMEOUT_MS;
  while (!(await isListening(folders.supervisorSocket))) {
    try {
      await lock(folders.data, {
        lockfilePath: folders.lock,
        stale: LOCK_STALE_MS,
        update: LOCK_REFRESH_INTERVAL_MS,
        onCompromised: onLost,
      });
      return true;
    } catch (error) {
      if (errorCode(error) !== 'ELOCKED') throw error;
    }
    if (Date.now() > deadline) {
      throw new Error(
        `The data folder ${folders.data} is in use by a process that cannot be reached from here: another container, ` +
          'another version of The Eye, or a process with another TMPDIR. Give each its own DATA_DIR.',
      );
    }
    await sleep(LOCK_RETRY_INTERVAL_MS);
  }
  return false;
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => resolve(true));
    socket.on('error', () => resolve(false)).on('connect', () => socket.destroy());
  });
}
