import { Injectable } from '@nestjs/common';
import type { NewRejection } from './new-rejection.js';

/** Takes note of what was refused, off the hot path. */
@Injectable()
export class RejectionsRecorder {
  /** Returns at once. */
  record(rejection: NewRejection): void {
    void rejection;
  }
}
