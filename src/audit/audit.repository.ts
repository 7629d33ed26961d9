import { Injectable } from '@nestjs/common';
import type { AuditAction } from '../auth/audit.js';
import { ReadSql, selectUtc } from '../platform/database/sql.js';
import { readBoundedSlice } from '../platform/paging/bounded-slice.js';
import { countRows, type KeysetQuery, selectSlice } from '../platform/paging/keyset-query.js';
import type { Count, Slice, SliceRows } from '../platform/paging/page.js';

export interface AuditEntry {
  id: string;
  /** UTC with six fractional digits. */
  at: string;
  actor: string;
  actor_key_id: string | null;
  application: string;
  action: AuditAction;
  target: string;
  details: Record<string, unknown>;
}

export interface AuditFilter {
  application?: string;
  action?: string;
  /** Canonical timestamps, both inclusive. */
  timestamp_after?: string;
  timestamp_before?: string;
}

const COLUMNS = `id, ${selectUtc('at')}, actor, actor_key_id, application, action, target, details`;
const BYTES = 'octet_length(details::text)';

/** The table `audit`. `audited()` writes it. */
@Injectable()
export class AuditRepository {
  constructor(private readonly sql: ReadSql) {}

  /** Reads a slice of the matching entries in their order; for a cursor to `previous`, in the opposite order. */
  find(filter: AuditFilter, slice: Slice): Promise<SliceRows<AuditEntry>> {
    return readBoundedSlice({
      slice,
      select: (part) => selectSlice(COLUMNS, keysetQuery(filter), part),
      bytes: BYTES,
      cursorKey: ({ at, id }) => ({ timestamp: at, id }),
      run: ({ sql, parameters }) => this.sql.query(sql, parameters),
    });
  }

  /** Counts matching entries: exact up to MAX_EXACT_COUNT, an estimate beyond. */
  count(filter: AuditFilter): Promise<Count> {
    return countRows((sql, parameters) => this.sql.query(sql, parameters), keysetQuery(filter));
  }
}

function keysetQuery({ application, action, timestamp_after, timestamp_before }: AuditFilter): KeysetQuery {
  const [equality, residual] = application === undefined ? [{ action }, {}] : [{ application }, { action }];
  return {
    table: 'audit',
    orderColumn: 'at',
    equality,
    residual,
    after: timestamp_after,
    before: timestamp_before,
  };
}
