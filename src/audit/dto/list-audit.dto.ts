import { type AuditAction, AUDIT_ACTIONS } from '../../auth/audit.js';
import { Choice, FilterParameter, TimestampBound } from '../../platform/paging/parameters.js';
import { CursorPageDto } from '../../platform/paging/query.dto.js';

/** Query parameters of `GET /audit`. */
export class ListAuditDto extends CursorPageDto {
  @FilterParameter('Changes that concern one application, by its name.', 'default')
  application?: string;

  @Choice(AUDIT_ACTIONS, 'Changes of one kind.')
  action?: AuditAction;

  @TimestampBound(
    'after',
    'Made at this time or later: a date-time, or a date for its start in UTC.',
    '2026-01-01',
  )
  timestamp_after?: string;

  @TimestampBound(
    'before',
    'Made at this time or earlier: a date-time, or a date for its end in UTC.',
    '2036-12-31',
  )
  timestamp_before?: string;
}
