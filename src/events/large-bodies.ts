import { Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import { UnavailableError } from '../platform/errors/domain-error.js';

/** Bytes of a body beyond which it is read one at a time. */
const LARGE_BODY_BYTES = 128 * 1024;

/** Milliseconds that a large body may wait for the others before it is refused unread. */
const LARGE_BODY_TIMEOUT_MS = 500;

/** Reads large bodies one after the other: read side by side, all of them would be late. */
@Injectable()
export class LargeBodies {
  private readonly limit = pLimit(1);

  /**
   * @param bytes of the body
   * @param read reads the body
   * @throws DomainError `unavailable` if too many large bodies arrive at once
   */
  inTurn<Result>(bytes: number, read: () => Promise<Result>): Promise<Result> {
    if (bytes <= LARGE_BODY_BYTES) return read();
    const arrivedAt = performance.now();
    return this.limit(() => {
      if (performance.now() - arrivedAt > LARGE_BODY_TIMEOUT_MS)
        throw new UnavailableError('busy', 'Too many large bodies arrived at once; nothing was accepted.');
      return read();
    });
  }
}
