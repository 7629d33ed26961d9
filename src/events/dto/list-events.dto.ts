import { IntersectionType } from '@nestjs/swagger';
import { FilteredDto } from '../../platform/filters/filtered.dto.js';
import { Choice, PageNumber, type PageQuery, TimestampBound } from '../../platform/paging/parameters.js';
import { CursorPageDto } from '../../platform/paging/query.dto.js';

const ORDERINGS = ['timestamp', '-timestamp'] as const;

/** Query parameters that select events and say their order. Parsed by `filterPipe`. */
export class SelectEventsDto extends FilteredDto {
  @TimestampBound(
    'after',
    'Events at this time or later: a date-time, or a date, which means its start in UTC.',
    '2021-01-01',
  )
  timestamp_after?: string;

  @TimestampBound(
    'before',
    'Events at this time or earlier: a date-time, or a date, which means its last microsecond in UTC.',
    '2021-12-31',
  )
  timestamp_before?: string;

  @Choice(ORDERINGS, 'Newest first, or oldest first.', '-timestamp')
  ordering?: (typeof ORDERINGS)[number];
}

/** Query parameters of `GET /events`. */
export class ListEventsDto extends IntersectionType(SelectEventsDto, CursorPageDto) implements PageQuery {
  @PageNumber('events')
  page?: number;
}
