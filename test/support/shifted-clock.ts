/**
 * NODE_OPTIONS that shift the clock of a process by a number of milliseconds; a negative number sets it back. Only Date is
 * shifted. Timers and performance.now() are monotonic, so setting a real clock does not affect them either.
 */
export function shiftedClock(milliseconds: number): string {
  const module = `
    const now = () => Real.now() + ${milliseconds};
    const Real = Date;
    globalThis.Date = new Proxy(Real, {
      construct: (_, parts, target) => Reflect.construct(Real, parts.length > 0 ? parts : [now()], target),
      get: (_, name) => (name === 'now' ? now : Real[name]),
    });`;
  return `--import=data:text/javascript,${encodeURIComponent(module)}`;
}
