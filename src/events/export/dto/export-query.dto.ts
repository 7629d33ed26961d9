import { OmitType } from '@nestjs/swagger';
import { Choice } from '../../../platform/paging/parameters.js';
import { ListEventsDto } from '../../dto/list-events.dto.js';
import { FORMATS, type Format } from '../writers/writers.js';

/** The parameters of the list without those of its pages, and the format. */
export class ExportQueryDto extends OmitType(ListEventsDto, ['page', 'page_size', 'cursor'] as const) {
  @Choice(FORMATS, 'The format of the file.', 'ndjson')
  format?: Format;
}
