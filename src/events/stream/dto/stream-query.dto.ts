import { TimestampBound } from '../../../platform/paging/parameters.js';
import { EventFilterDto } from '../../../platform/paging/query.dto.js';

/** Query parameters of `GET /events/stream`: which events a subscriber receives. */
export class StreamQueryDto extends EventFilterDto {
  @TimestampBound(
    'after',
    'Events with this timestamp or a later one. Excludes events of the past that are sent now.',
    '2021-01-01',
  )
  timestamp_after?: string;

  @TimestampBound('before', 'Events with this timestamp or an earlier one.', '2099-12-31')
  timestamp_before?: string;
}
