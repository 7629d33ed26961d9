import { Choice } from '../../../platform/paging/parameters.js';
import { SelectEventsDto } from '../../dto/list-events.dto.js';
import { EXPORT_FORMATS, type ExportFormat } from '../writers/writers.js';

/** Query parameters of `GET /events/export`: those of the list without its pages, and the format. */
export class ExportQueryDto extends SelectEventsDto {
  @Choice(EXPORT_FORMATS, 'The format of the file.', 'ndjson')
  format?: ExportFormat;
}
