import { Injectable } from '@nestjs/common';
import { clickHouseCode, ClickHouseUnavailableError } from '../platform/clickhouse/clickhouse-errors.js';
import { CopyRepository } from './copy.repository.js';

/** Seconds without a removal after which removed events are erased: several removals cost one erasure. */
const DELAY_S = 60;

/** Milliseconds between two looks at ClickHouse while there is nothing to erase: what is removed meanwhile is not due before. */
const IDLE_INTERVAL_MS = DELAY_S * 1000;

/** Milliseconds after which they are erased although removals go on. Then a removal waits for that. */
const MAX_DELAY_MS = 3_600_000;

/** ClickHouse's code of a missing privilege (ACCESS_DENIED). */
const ACCESS_DENIED = '497';

/** Erases events from the disk of ClickHouse some time after they were removed from its answers. */
@Injectable()
export class Eraser {
  /** When this process first saw that something has to be erased, in performance.now(); undefined if nothing has. */
  private dueSince: number | undefined;

  constructor(private readonly copies: CopyRepository) {}

  /**
   * Begins to erase what there is, if it is time.
   * @returns milliseconds until the next run; undefined for the interval of the periodic task
   */
  async run(): Promise<number | undefined> {
    if (!this.copies.exists) return undefined;
    try {
      const { parts, age, isRunning } = await this.copies.erasure();
      if (parts === 0) {
        this.dueSince = undefined;
        return IDLE_INTERVAL_MS;
      }
      this.dueSince ??= performance.now();
      if (!isRunning && (age >= DELAY_S || this.isOverdue)) await this.copies.erase();
    } catch (error) {
      // It is reported elsewhere, and what was begun goes on when it is back.
      if (!(error instanceof ClickHouseUnavailableError)) throw error;
    }
    return undefined;
  }

  /** Stops erasing, so that a removal need not wait: nothing else is copied meanwhile. */
  async makeWay(): Promise<void> {
    if (this.isOverdue) return;
    try {
      await this.copies.stopErasing();
    } catch (error) {
      // Then the removal waits. `run()` reports the missing privilege.
      if (clickHouseCode(error) !== ACCESS_DENIED) throw error;
    }
  }

  private get isOverdue(): boolean {
    return this.dueSince !== undefined && performance.now() - this.dueSince > MAX_DELAY_MS;
  }
}
