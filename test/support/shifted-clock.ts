/**
 * NODE_OPTIONS that let a process's clock go ahead of the machine's by so many milliseconds, or behind it. JavaScript asks
 * the clock through Date alone; timers and performance.now() count on their own, as they do when a real clock is set.
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
