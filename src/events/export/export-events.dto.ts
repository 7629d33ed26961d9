import { OmitType } from '@nestjs/swagger';
import { Choice } from '../../paging/parameters.js';
import { ListEventsDto } from '../dto/list-events.dto.js';
import { FORMATS, type Format } from './formats.js';

/** What can be asked of an export: what can be asked of the list, but for its pages. */
export class ExportEventsDto extends OmitType(ListEventsDto, ['page', 'page_size', 'cursor'] as const) {
  @Choice(FORMATS, 'How the events are written.', 'ndjson')
  format?: Format;
}
