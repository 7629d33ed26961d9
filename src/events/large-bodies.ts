import { Injectable } from '@nestjs/common';
import pLimit, { type LimitFunction } from 'p-limit';
import { SharedBudget } from '../platform/async/shared-budget.js';
import { UnavailableError } from '../platform/errors/domain-error.js';

/** Bytes of a body beyond which it is read one at a time. */
const LARGE_BODY_BYTES = 128 * 1024;

/** Milliseconds that a large body may wait for the others before it is refused unread. */
const LARGE_BODY_TIMEOUT_MS = 500;

/** Bytes of the bodies that wait for schemas, in all and of one application: also of those whose senders have left. */
const MAX_PAUSED_BYTES = 64 * 1024 ** 2;
const MAX_PAUSED_BYTES_OF_APPLICATION = MAX_PAUSED_BYTES / 2;

/** A body that is read. */
interface ReadBody {
  readonly bytes: number;
  readonly application: string;
}

/** The turn of a body to be read. */
export class Turn {
  private end: () => void = () => undefined;

  /** @param limit undefined for a body that needs no turn */
  constructor(
    private readonly body: ReadBody,
    private readonly paused: SharedBudget,
    private readonly limit?: LimitFunction,
  ) {}

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

  /**
   * Lets others have their turn until something that they need not wait for is there.
   * @throws UnavailableError `busy` if too many bodies wait for such things
   */
  async pause<Result>(awaited: Promise<Result>): Promise<Result> {
    const { application, bytes } = this.body;
    // Nobody else may listen to it.
    awaited.catch(() => undefined);
    const release = this.paused.take(application, bytes);
    if (!release)
      throw new UnavailableError(
        'busy',
        'Too many bodies wait for the schemas of their events; nothing was accepted.',
      );
    this.leave();
    try {
      const result = await awaited;
      await this.take();
      return result;
    } finally {
      release();
    }
  }

  leave(): void {
    this.end();
  }
}

/** Reads large bodies one after the other: read side by side, all of them would be late. */
@Injectable()
export class LargeBodies {
  private readonly limit = pLimit(1);
  private readonly paused = new SharedBudget(MAX_PAUSED_BYTES, MAX_PAUSED_BYTES_OF_APPLICATION);

  /**
   * @param read reads the body
   * @throws DomainError `unavailable` if too many large bodies arrive at once
   */
  async inTurn<Result>(body: ReadBody, read: (turn: Turn) => Promise<Result>): Promise<Result> {
    if (body.bytes <= LARGE_BODY_BYTES) return read(new Turn(body, this.paused));
    const turn = new Turn(body, this.paused, this.limit);
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
