import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of answers and rows after which their buffers are freed: they lie outside the heap, whose size starts a collection. */
const MAX_GARBAGE_BYTES = 32 * 1024 * 1024;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

let garbageBytes = 0;

/** Counts bytes that are no longer needed, and frees them from time to time. */
export function discard(bytes: number): void {
  garbageBytes += bytes;
  if (garbageBytes < MAX_GARBAGE_BYTES) return;
  garbageBytes = 0;
  collectGarbage();
}
