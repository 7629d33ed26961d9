import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

/** A process that did nothing for as long as this is idle. */
const IDLE_AFTER_MS = 2000;

/** Measures with a timer of ten milliseconds, which would wake an idle process a hundred times a second. */
const delays = monitorEventLoopDelay({ resolution: 10 });
let watch: NodeJS.Timeout | undefined;
let hasWorked = false;

/** Measures the delays of the event loop until the process is idle. Called whenever it begins or has done some work. */
export function measureEventLoop(): void {
  hasWorked = true;
  if (watch) return;
  delays.enable();
  watch = setInterval(() => {
    if (!hasWorked) stopMeasuring();
    hasWorked = false;
  }, IDLE_AFTER_MS).unref();
}

/** Whether the event loop is being measured. */
export const isMeasuringEventLoop = (): boolean => watch !== undefined;

function stopMeasuring(): void {
  clearInterval(watch);
  watch = undefined;
  delays.disable();
}

/** The names and texts of prom-client. */
const GAUGES: readonly (readonly [name: string, help: string, read: () => number])[] = [
  ['min', 'The minimum recorded event loop delay.', () => delays.min],
  ['max', 'The maximum recorded event loop delay.', () => delays.max],
  ['mean', 'The mean of the recorded event loop delays.', () => delays.mean],
  ['stddev', 'The standard deviation of the recorded event loop delays.', () => delays.stddev],
  ['p50', 'The 50th percentile of the recorded event loop delays.', () => delays.percentile(50)],
  ['p90', 'The 90th percentile of the recorded event loop delays.', () => delays.percentile(90)],
  ['p99', 'The 99th percentile of the recorded event loop delays.', () => delays.percentile(99)],
];

/**
 * Replaces the gauges of prom-client, which measures all the time and has no option against it. They cover the time since they
 * were last read, and are 0 if the process was idle.
 */
export function registerEventLoopDelays(registry: Registry): void {
  GAUGES.forEach(([statistic, help, read], index) => {
    const name = `nodejs_eventloop_lag_${statistic}_seconds`;
    registry.removeSingleMetric(name);
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(delays.count === 0 ? 0 : read() / 1e9);
        if (index === GAUGES.length - 1) delays.reset();
      },
    });
  });
}

/** For prom-client's own measurement: the longest delay of a timer. */
export const NEVER_MS = 2 ** 31 - 1;
