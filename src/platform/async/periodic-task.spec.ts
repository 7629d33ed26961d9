import { jest } from '@jest/globals';
import { PeriodicTask } from './periodic-task.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe('PeriodicTask', () => {
  const start = (run: () => Promise<number | void>, delayMs?: number): PeriodicTask => {
    const task = new PeriodicTask({ name: 'test', intervalMs: 1000, run });
    task.start(delayMs);
    return task;
  };

  it('runs at once and then after each interval', async () => {
    const run = jest.fn(() => Promise.resolve());
    start(run);
    await jest.advanceTimersByTimeAsync(0);
    expect(run).toHaveBeenCalledTimes(1);
    await jest.advanceTimersByTimeAsync(999);
    expect(run).toHaveBeenCalledTimes(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('delays the first run', async () => {
    const run = jest.fn(() => Promise.resolve());
    start(run, 50);
    await jest.advanceTimersByTimeAsync(49);
    expect(run).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1);
    expect(run).toHaveBeenCalledTimes(1);
  });

  it('takes the delay that a run returns instead of the interval, also 0', async () => {
    const delays = [0, 10];
    const run = jest.fn(() => Promise.resolve(delays.shift()));
    start(run);
    await jest.advanceTimersByTimeAsync(1);
    expect(run).toHaveBeenCalledTimes(2);
    await jest.advanceTimersByTimeAsync(10);
    expect(run).toHaveBeenCalledTimes(3);
  });

  it('counts the interval from the end of a run, so that runs never overlap', async () => {
    let finish = (): void => undefined;
    const run = jest.fn(() => new Promise<void>((resolve) => (finish = resolve)));
    start(run);
    await jest.advanceTimersByTimeAsync(5000);
    expect(run).toHaveBeenCalledTimes(1);
    finish();
    await jest.advanceTimersByTimeAsync(1000);
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('brings the next run forward when it is woken, and never delays it', async () => {
    const run = jest.fn(() => Promise.resolve());
    const task = start(run);
    await jest.advanceTimersByTimeAsync(0);
    task.wake(2000);
    task.wake(100);
    task.wake(500);
    await jest.advanceTimersByTimeAsync(99);
    expect(run).toHaveBeenCalledTimes(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(run).toHaveBeenCalledTimes(2);
    await jest.advanceTimersByTimeAsync(999);
    expect(run).toHaveBeenCalledTimes(2);
    await jest.advanceTimersByTimeAsync(1);
    expect(run).toHaveBeenCalledTimes(3);
  });

  it('runs again after a run in which it was woken', async () => {
    let finish = (): void => undefined;
    const run = jest.fn(() => new Promise<void>((resolve) => (finish = resolve)));
    const task = start(run);
    await jest.advanceTimersByTimeAsync(0);
    task.wake();
    await jest.advanceTimersByTimeAsync(100);
    expect(run).toHaveBeenCalledTimes(1);
    finish();
    await jest.advanceTimersByTimeAsync(0);
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('waits to be woken if its interval is infinite', async () => {
    const run = jest.fn(() => Promise.resolve());
    const task = new PeriodicTask({ name: 'test', intervalMs: Infinity, run });
    task.wake();
    await jest.advanceTimersByTimeAsync(1000);
    expect(run).not.toHaveBeenCalled();
    task.start(Infinity);
    await jest.advanceTimersByTimeAsync(100_000);
    expect(run).not.toHaveBeenCalled();
    task.wake(10);
    await jest.advanceTimersByTimeAsync(100_000);
    expect(run).toHaveBeenCalledTimes(1);
    await task.stop();
    task.wake();
    await jest.advanceTimersByTimeAsync(1000);
    expect(run).toHaveBeenCalledTimes(1);
  });

  it('continues after a run that failed', async () => {
    const run = jest.fn(() => Promise.reject(new Error('no')));
    start(run);
    await jest.advanceTimersByTimeAsync(1000);
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('does not run after stop()', async () => {
    const run = jest.fn(() => Promise.resolve());
    const task = start(run, 50);
    await task.stop();
    task.start();
    await jest.advanceTimersByTimeAsync(5000);
    expect(run).not.toHaveBeenCalled();
  });

  it('waits in stop() for the run in flight, and starts no other', async () => {
    let finish = (): void => undefined;
    const run = jest.fn(() => new Promise<void>((resolve) => (finish = resolve)));
    const task = start(run);
    await jest.advanceTimersByTimeAsync(0);
    let stopped = false;
    const stop = task.stop().then(() => (stopped = true));
    await jest.advanceTimersByTimeAsync(100);
    expect(stopped).toBe(false);
    finish();
    await stop;
    await jest.advanceTimersByTimeAsync(5000);
    expect(run).toHaveBeenCalledTimes(1);
  });
});
