import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Pulse, SECONDS } from './pulse.js';
import { PulseStore } from './pulse-store.js';

/** Milliseconds after the end of a second at which its counts are written. */
const AFTER = 20;

/** Tells once a second what this process has counted; nothing where nothing happened. */
@Injectable()
export class PulseRecorder implements OnModuleInit, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly pulse: Pulse,
    private readonly store: PulseStore,
  ) {}

  onModuleInit(): void {
    this.schedule();
  }

  /** Also the second that has only begun. */
  async onApplicationShutdown(): Promise<void> {
    clearTimeout(this.timer);
    await this.write(Infinity);
  }

  private schedule(): void {
    const next = 1000 - (Date.now() % 1000) + AFTER;
    this.timer = setTimeout(() => {
      void this.write(Math.floor(Date.now() / 1000)).finally(() => this.schedule());
    }, next).unref();
  }

  private async write(before: number): Promise<void> {
    const counts = this.pulse.before(before);
    if (counts.size === 0) return;
    try {
      await this.store.write(counts);
      this.pulse.forget(counts.keys());
    } catch {
      // Redis is away: they wait for as long as anybody could ask for them.
      this.pulse.forget(this.pulse.before(before - SECONDS).keys());
    }
  }
}
