import { ApiQuery } from '@nestjs/swagger';
import { Allow } from 'class-validator';
import { EXAMPLE_STORED } from '../../events/dto/example.js';
import { FilteredDto } from '../../platform/filters/filtered.dto.js';
import { OPERATOR_NAMES } from '../../platform/filters/operators.js';
import {
  CursorParameter,
  FilterParameter,
  InstantBound,
  PageSize,
} from '../../platform/paging/parameters.js';
import { CursorPageDto } from '../../platform/paging/query.dto.js';
import type { Timestamp } from '../../platform/time/timestamp.js';
import { EVERY_SESSION, type SessionFilter } from '../session-filter.js';

/** The parameters of the events of a session. */
export class ListSessionEventsDto extends CursorPageDto {}

const TOGETHER = 'With other conditions on events, with one event that meets them all.';

/** The parameters that say which sessions a question is about. Parsed by `sessionFilterPipe`. */
export class SessionFilteredDto extends FilteredDto {
  @FilterParameter('The session of this id.', EXAMPLE_STORED.session_id)
  override session_id?: string;

  @FilterParameter(`Sessions with an event of this application. ${TOGETHER}`, 'default')
  override application?: string;

  @FilterParameter(`Sessions with an event of this category. ${TOGETHER}`, 'page interaction')
  override category?: string;

  @FilterParameter(`Sessions with an event of this name. ${TOGETHER}`, 'pageview')
  override name?: string;

  /** All conditions on whole sessions of the query string. Not a parameter itself. */
  @Allow()
  sessionFilter: SessionFilter = EVERY_SESSION;
}

/** The parameters of the list of sessions. */
export class ListSessionsDto extends SessionFilteredDto {
  @PageSize()
  page_size?: number;

  @CursorParameter()
  cursor?: string;

  @InstantBound(
    'after',
    'Sessions whose last event has this timestamp or a later one: a date-time, or a date for its midnight UTC.',
    '2021-01-01',
  )
  timestamp_after?: Timestamp;

  @InstantBound(
    'before',
    'Sessions whose last event has this timestamp or an earlier one: a date-time, or a date for its last microsecond in UTC.',
    '2021-12-31',
  )
  timestamp_before?: Timestamp;
}

/** Documents the conditions on sessions and their events, which are parameters without fixed names. */
export const ApiSessionFilters = (): MethodDecorator =>
  ApiQuery({
    name: 'conditions',
    required: false,
    style: 'form',
    explode: true,
    description:
      'Any number of conditions, each a parameter of its own. On the whole session: `duration` (seconds), `events` (their number), ' +
      '`entry.category` and `entry.name` (of its first event), `exit.category` and `exit.name` (of its last), e.g. `duration:gte=60`. ' +
      'On its events: fields and values inside `data`, e.g. `data.path=/checkout`; one event at least must meet all of these. ' +
      `Operators: ${OPERATOR_NAMES.map((name) => `\`${name}\``).join(', ')}. See "Filters" in docs/questions.md.`,
    schema: {
      type: 'object',
      additionalProperties: { type: 'string' },
      example: { 'events:gte': '2', 'entry.name': 'pageview', 'data.path': '/' },
    },
  });
