import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { PeriodicTask } from '../platform/async/periodic-task.js';
import { DatabaseUnavailableError } from '../platform/database/database-errors.js';
import { KeysRepository } from './keys.repository.js';

const WRITE_INTERVAL_MS = 60_000;

/** Writes once a minute when each key was last used by a request to this process. */
@Injectable()
export class KeyUses implements OnModuleInit, OnApplicationShutdown {
  /** Milliseconds since 1970, by the id of the key. Its size is bounded by the number of keys. */
  private usedAt = new Map<string, number>();
  private readonly task = new PeriodicTask({
    name: 'write the last uses of keys',
    intervalMs: WRITE_INTERVAL_MS,
    run: () => this.write(),
  });

  constructor(private readonly keys: KeysRepository) {}

  note(keyId: string): void {
    this.usedAt.set(keyId, Date.now());
  }

  onModuleInit(): void {
    this.task.start(WRITE_INTERVAL_MS);
  }

  /** Runs after the last response was sent, and before the connections to PostgreSQL close. */
  async onApplicationShutdown(): Promise<void> {
    await this.task.stop();
    await this.write();
  }

  private async write(): Promise<void> {
    const { usedAt } = this;
    if (usedAt.size === 0) return;
    this.usedAt = new Map();
    try {
      await this.keys.noteUses([...usedAt]);
    } catch (error) {
      // Later uses count more than these.
      for (const [id, at] of usedAt) if (!this.usedAt.has(id)) this.usedAt.set(id, at);
      if (!(error instanceof DatabaseUnavailableError)) throw error;
    }
  }
}
