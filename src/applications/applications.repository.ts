import { Injectable } from '@nestjs/common';
import { selectUtc, Sql } from '../platform/database/sql.js';

export interface Application {
  name: string;
  /** UTC with six fractional digits. */
  created_at: string;
}

const COLUMNS = `name, ${selectUtc('created_at')}`;

/** The table `applications`. */
@Injectable()
export class ApplicationsRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * Applications ordered by name.
   * @param after the name after which the list begins
   */
  list(limit: number, after = ''): Promise<Application[]> {
    return this.sql.query(`SELECT ${COLUMNS} FROM applications WHERE name > $2 ORDER BY name LIMIT $1`, [
      limit,
      after,
    ]);
  }

  async find(name: string): Promise<Application | undefined> {
    const [application] = await this.sql.query<Application>(
      `SELECT ${COLUMNS} FROM applications WHERE name = $1`,
      [name],
    );
    return application;
  }

  /** @returns undefined if the application exists already */
  async create(name: string): Promise<Application | undefined> {
    const [application] = await this.sql.query<Application>(
      `INSERT INTO applications (name) VALUES ($1) ON CONFLICT DO NOTHING RETURNING ${COLUMNS}`,
      [name],
    );
    return application;
  }
}
