import { Injectable } from '@nestjs/common';
import { yieldToEventLoop } from '../platform/async/yield-to-event-loop.js';
import { ReadSql } from '../platform/database/sql.js';
import type { ApplicationTypeKey } from './event-types.repository.js';

/** The payload of a stored event, to try a schema on. */
export interface Sample {
  readonly id: string;
  readonly data: Record<string, unknown>;
}

/** Events that one statement reads; at their largest they are 13 MB. */
const CHUNK_SIZE = 200;

/** Milliseconds of work between two yields to the event loop. */
const YIELD_INTERVAL_MS = 20;

/** Reads the payloads of stored events of a type. */
@Injectable()
export class SamplesRepository {
  constructor(private readonly sql: ReadSql) {}

  /**
   * Yields the newest events of a type of an application by their timestamps, at most `limit`. Yields to the event loop every few
   * milliseconds, so that the work of the consumer does not block other requests.
   * @throws DatabaseUnavailableError
   */
  async *newest({ application, category, name }: ApplicationTypeKey, limit: number): AsyncGenerator<Sample> {
    let last: { timestamp: string; id: string } | undefined;
    let yieldedAt = performance.now();
    for (let left = limit; left > 0; left -= CHUNK_SIZE) {
      const rows = await this.sql.query<Sample & { timestamp: string }>(
        // Ranges over whole rows of the index on (category, name, timestamp, id). With equality on category and name, the
        // planner may choose the index on time and read the whole table for a type that has become rare.
        `SELECT id, data, timestamp::text AS timestamp FROM events
         WHERE (events.category, events.name) >= ($1, $2) AND ${
           last
             ? '(events.category, events.name, events.timestamp, id) < ($1, $2, $5::timestamptz, $6::uuid)'
             : '(events.category, events.name) <= ($1, $2)'
         } AND application = $4
         ORDER BY events.category DESC, events.name DESC, events.timestamp DESC, id DESC LIMIT $3`,
        [category, name, Math.min(left, CHUNK_SIZE), application, ...(last ? [last.timestamp, last.id] : [])],
      );
      for (const { id, data } of rows) {
        yield { id, data };
        if (performance.now() - yieldedAt < YIELD_INTERVAL_MS) continue;
        await yieldToEventLoop();
        yieldedAt = performance.now();
      }
      last = rows.at(-1);
      if (rows.length < CHUNK_SIZE) return;
    }
  }
}
