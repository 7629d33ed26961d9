import type { EntityManager } from 'typeorm';
import { Sql } from './sql.js';

export { formatUtc, selectUtc } from './sql.js';

/** @deprecated use Sql */
export const query = <Row>(manager: EntityManager, text: string, parameters: unknown[]): Promise<Row[]> =>
  new Sql(manager.dataSource).query<Row>(text, parameters);
