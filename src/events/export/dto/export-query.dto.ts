import { OmitType } from '@nestjs/swagger';
import { Choice } from '../../../platform/paging/parameters.js';
import { ListEventsDto } from '../../dto/list-events.dto.js';
import { FORMATS, type Format } from '../writers/writers.js';

/** What can be asked of an export: what can be asked of the list, but for its pages. */
export class ExportQueryDto extends OmitType(ListEventsDto, ['page', 'page_size', 'cursor'] as const) {
  @Choice(FORMATS, 'How the events are written.', 'ndjson')
  format?: Format;
}
