import { Injectable } from '@nestjs/common';
import pLimit, { type LimitFunction } from 'p-limit';
import { UnavailableError } from '../platform/errors/domain-error.js';

/** Bytes of a body beyond which it is read one at a time. */
const LARGE_BODY_BYTES = 128 * 1024;

/** Milliseconds that a large body may wait for the others before it is refused unread. */
const LARGE_BODY_TIMEOUT_MS = 500;

/** The turn of a body to be read. */
export class Turn {
  private end: () => void = () => undefined;

  /** @param limit undefined for a body that needs no turn */
  constructor(private readonly limit?: LimitFunction) {}

  /** Waits for the turn. */
  async take(): Promise<void> {
    await new Promise<void>((taken) => {
      if (!this.limit) return taken();
      void this.limit(() => {
        taken();
        return new Promise<void>((end) => (this.end = end));
      });
    });
  }

  /** Lets others have their turn until something that they need not wait for is there. */
  async pause<Result>(awaited: Promise<Result>): Promise<Result> {
    this.leave();
    // Not in `finally`: if it fails, the body is not read on.
    const result = await awaited;
    await this.take();
    return result;
  }

  leave(): void {
    this.end();
  }
}

/** Reads large bodies one after the other: read side by side, all of them would be late. */
@Injectable()
export class LargeBodies {
  private readonly limit = pLimit(1);

  /**
   * @param bytes of the body
   * @param read reads the body
   * @throws DomainError `unavailable` if too many large bodies arrive at once
   */
  async inTurn<Result>(bytes: number, read: (turn: Turn) => Promise<Result>): Promise<Result> {
    if (bytes <= LARGE_BODY_BYTES) return read(new Turn());
    const turn = new Turn(this.limit);
    const arrivedAt = performance.now();
    await turn.take();
    try {
      if (performance.now() - arrivedAt > LARGE_BODY_TIMEOUT_MS)
        throw new UnavailableError('busy', 'Too many large bodies arrived at once; nothing was accepted.');
      return await read(turn);
    } finally {
      turn.leave();
    }
  }
}
