import { Connections } from '../../src/platform/database/connections.js';
import { ReadSql, type SqlOptions } from '../../src/platform/database/sql.js';

/** Runs SQL as the repositories do, and records each statement. */
export class RecordingSql extends ReadSql {
  readonly statements: { sql: string; parameters: unknown[] }[] = [];

  constructor(databaseUrl: string) {
    super(new Connections(databaseUrl), 2);
  }

  override query<Row>(text: string, parameters: unknown[] = [], options: SqlOptions = {}): Promise<Row[]> {
    this.statements.push({ sql: text, parameters });
    return super.query(text, parameters, options);
  }
}
