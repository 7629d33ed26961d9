import { Injectable } from '@nestjs/common';
import { KeySql, Sql } from '../platform/database/sql.js';
import type { TypeKey } from './event-types.repository.js';

/** The limits of an application; null where the setting applies. */
export interface OwnLimits {
  /** Event types that it may use. */
  readonly types_limit: number | null;
  /** Days that its timestamps may lie in the past. */
  readonly past_limit: number | null;
}

/** Reads the limits of applications, and the types that their events use. */
@Injectable()
export class ApplicationLimitsRepository {
  constructor(
    private readonly keySql: KeySql,
    private readonly sql: Sql,
  ) {}

  /** @returns undefined if the application does not exist */
  async find(application: string): Promise<OwnLimits | undefined> {
    const [limits] = await this.keySql.query<OwnLimits>(
      'SELECT types_limit, past_limit FROM applications WHERE name = $1',
      [application],
    );
    return limits;
  }

  /** The types of the stored events of an application. */
  typesInUse(application: string, limit: number): Promise<TypeKey[]> {
    return this.sql.query(
      'SELECT DISTINCT category, name FROM types_in_use WHERE application = $1 LIMIT $2',
      [application, limit],
    );
  }
}
