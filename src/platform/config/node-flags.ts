import { setFlagsFromString } from 'node:v8';

/** Sets V8 flags. The API and the worker call this before they allocate much memory. */
export function setNodeFlags(): void {
  // Most objects live as long as a request. The young generation grows to its full size at once, because small ones would
  // be collected a thousand times a second.
  setFlagsFromString('--semi-space-growth-factor=16');
  // Few objects live longer. The old generation may grow by half before it is collected, not to four times its size.
  setFlagsFromString('--heap-growing-percent=50');
}
