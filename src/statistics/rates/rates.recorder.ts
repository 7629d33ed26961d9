import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { eventTotals } from '../../platform/telemetry/metrics.js';
import { EventRates, SECONDS } from './event-rates.js';
import { RatesStore } from './rates.store.js';

/** Tells once a second what happened in this process; nothing where nothing did. */
@Injectable()
export class RatesRecorder implements OnModuleInit, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly pulse: EventRates,
    private readonly store: RatesStore,
  ) {}

  onModuleInit(): void {
    this.schedule();
  }

  /** Also the second that has only begun. */
  async onApplicationShutdown(): Promise<void> {
    clearTimeout(this.timer);
    await this.tell(Math.floor(Date.now() / 1000));
  }

  private schedule(): void {
    const second = Math.floor(Date.now() / 1000);
    const end = (second + 1) * 1000 - Date.now();
    this.timer = setTimeout(() => void this.tell(second).finally(() => this.schedule()), end).unref();
  }

  private async tell(second: number): Promise<void> {
    this.pulse.note(second, eventTotals());
    const counts = new Map(this.pulse.counts);
    if (counts.size === 0) return;
    try {
      await this.store.write(counts);
      this.pulse.forget(counts.keys());
    } catch {
      // Redis is away: they wait for as long as anybody could ask for them.
      this.pulse.forgetBefore(second - SECONDS);
    }
  }
}
