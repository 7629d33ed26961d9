import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { environment } from '../config/environment.js';
import { query } from '../database/query.js';
import { RejectionEntity } from './rejection.entity.js';

export interface Rejection {
  id: string;
  code: string;
  message: string;
  /** JSON text of the event. */
  event: string;
  /** UTC with six fractional digits. */
  rejected_at: string;
}

const COLUMNS = `id, code, message, event,
  to_char(rejected_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS rejected_at`;

/** The rejections in PostgreSQL. */
@Injectable()
export class RejectionsRepository {
  constructor(@InjectRepository(RejectionEntity) private readonly rejections: Repository<RejectionEntity>) {}

  /** Keeps a rejection; the same event refused again replaces the earlier one. */
  async record({ id, code, message, event }: Omit<Rejection, 'rejected_at'>): Promise<void> {
    await this.query(
      `INSERT INTO rejections (id, code, message, event) VALUES ($1, $2, $3, $4)
       ON CONFLICT (id) DO UPDATE SET code = $2, message = $3, event = $4, rejected_at = clock_timestamp()`,
      [id, code, message, event],
    );
  }

  /** Newest first, beginning after the rejection that is named by its time and id. */
  list(limit: number, after?: { rejected_at: string; id: string }): Promise<Rejection[]> {
    return this.query(
      `SELECT ${COLUMNS} FROM rejections
       ${after ? 'WHERE (rejected_at, id) < ($2::timestamptz, $3::uuid)' : ''}
       ORDER BY rejections.rejected_at DESC, id DESC LIMIT $1`,
      after ? [limit, after.rejected_at, after.id] : [limit],
    );
  }

  async find(id: string): Promise<Rejection | undefined> {
    const [rejection] = await this.query<Rejection>(`SELECT ${COLUMNS} FROM rejections WHERE id = $1`, [id]);
    return rejection;
  }

  /** Removes a rejection unless it has been refused anew since it was read. */
  async remove({ id, rejected_at }: Rejection): Promise<void> {
    await this.query(`DELETE FROM rejections WHERE id = $1 AND rejected_at = $2::timestamptz`, [
      id,
      rejected_at,
    ]);
  }

  private query<Row>(sql: string, parameters: unknown[]): Promise<Row[]> {
    return query<Row>(this.rejections.manager, sql, parameters, environment.QUERY_TIMEOUT);
  }
}
