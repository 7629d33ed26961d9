import { jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { isMeasuringEventLoop, measureEventLoop, registerEventLoopDelays } from './event-loop-delay.js';

describe('The delays of the event loop', () => {
  const registry = new Registry();
  registerEventLoopDelays(registry);
  const read = async (statistic: string): Promise<number> => {
    const text = await registry.metrics();
    return Number(new RegExp(`^nodejs_eventloop_lag_${statistic}_seconds (\\S+)$`, 'm').exec(text)?.[1]);
  };

  it('are measured until the process was idle for some seconds, so that nothing wakes it', () => {
    jest.useFakeTimers();
    try {
      measureEventLoop();
      jest.advanceTimersByTime(1500);
      measureEventLoop();
      jest.advanceTimersByTime(2000);
      expect(isMeasuringEventLoop()).toBe(true);
      jest.advanceTimersByTime(2000);
      expect(isMeasuringEventLoop()).toBe(false);
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  it('are measured while the process works, since they were last read', async () => {
    expect(await read('max')).toBe(0);
    measureEventLoop();
    await sleep(50);
    for (const end = performance.now() + 150; performance.now() < end;);
    await sleep(50);
    expect(await read('max')).toBeGreaterThan(0.1);
    expect(await read('max')).toBeLessThan(0.1);
  });
});
