import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { query } from '../platform/database/sql.js';
import type { TypeKey } from './event-types.repository.js';

/** Of a stored event, what a schema is tried on. */
export interface Sample {
  readonly id: string;
  readonly data: Record<string, unknown>;
}

/** Events a statement: at their largest they are 13 MB. */
const BATCH = 200;

/** Milliseconds of work after which others get their turn. */
const SLICE = 20;

/** Reads stored events of a type, to look at their payloads. */
@Injectable()
export class SamplesRepository {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /**
   * The newest events of a type, by their timestamp, `limit` at the most. Whoever works on them keeps nobody waiting:
   * the event loop gets its turn every few milliseconds.
   * @throws DatabaseUnavailableError
   */
  async *newest({ category, name }: TypeKey, limit: number): AsyncGenerator<Sample> {
    let last: { timestamp: string; id: string } | undefined;
    let began = performance.now();
    for (let left = limit; left > 0; left -= BATCH) {
      const rows = await query<Sample & { timestamp: string }>(
        this.dataSource.manager,
        // Ranges over whole rows of the index on (category, name, timestamp, id): with plain equality the planner may
        // as well walk the index on time alone, which reads the whole table for a type that has become rare.
        `SELECT id, data, timestamp::text AS timestamp FROM events
         WHERE (events.category, events.name) >= ($1, $2) AND ${
           last
             ? '(events.category, events.name, events.timestamp, id) < ($1, $2, $4::timestamptz, $5::uuid)'
             : '(events.category, events.name) <= ($1, $2)'
         }
         ORDER BY events.category DESC, events.name DESC, events.timestamp DESC, id DESC LIMIT $3`,
        [category, name, Math.min(left, BATCH), ...(last ? [last.timestamp, last.id] : [])],
      );
      for (const { id, data } of rows) {
        yield { id, data };
        if (performance.now() - began < SLICE) continue;
        await nextTurn();
        began = performance.now();
      }
      last = rows.at(-1);
      if (rows.length < BATCH) return;
    }
  }
}
