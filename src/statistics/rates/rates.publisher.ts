import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { PeriodicTask } from '../../platform/async/periodic-task.js';
import { type EventCounts, eventTotals, eventTotalsByApplication } from '../../platform/telemetry/metrics.js';
import { PendingDeltas, RATES_WINDOW_SECONDS } from './pending-deltas.js';
import { RatesStore } from './rates.store.js';

/** Publishes at the end of each second what this process counted in it. */
@Injectable()
export class RatesPublisher implements OnModuleInit, OnApplicationShutdown {
  /** By application; of all of them together, by `undefined`. */
  private readonly deltas = new Map<string | undefined, PendingDeltas>();
  private second = currentSecond();
  private readonly task = new PeriodicTask({
    name: 'publish the rates',
    intervalMs: 1000,
    run: async () => {
      await this.publish();
      return this.startSecond();
    },
  });

  constructor(private readonly store: RatesStore) {}

  onModuleInit(): void {
    this.task.start(this.startSecond());
  }

  /** Publishes also the second that has only begun. */
  async onApplicationShutdown(): Promise<void> {
    await this.task.stop();
    this.startSecond();
    await this.publish();
  }

  /** @returns milliseconds until the current second ends */
  private startSecond(): number {
    this.second = currentSecond();
    return (this.second + 1) * 1000 - Date.now();
  }

  private async publish(): Promise<void> {
    const { second } = this;
    const all: [string | undefined, EventCounts][] = [
      [undefined, eventTotals()],
      ...eventTotalsByApplication(),
    ];
    const written = all.map(async ([application, totals]) => {
      const deltas = this.deltas.get(application) ?? new PendingDeltas();
      this.deltas.set(application, deltas);
      deltas.noteTotals(second, totals);
      const pending = new Map(deltas.bySecond);
      if (pending.size === 0) return;
      try {
        await this.store.write(pending, application);
        deltas.discard(pending.keys());
      } catch {
        // Redis is away: the deltas stay pending for as long as they can be read.
        deltas.discardBefore(second - RATES_WINDOW_SECONDS);
      }
    });
    await Promise.all(written);
  }
}

/** Seconds since 1970. */
function currentSecond(): number {
  return Math.floor(Date.now() / 1000);
}
