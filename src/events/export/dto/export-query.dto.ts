import { ApiPropertyOptional } from '@nestjs/swagger';
import { ParsedText } from '../../../platform/filters/filtered.dto.js';
import { Choice } from '../../../platform/paging/parameters.js';
import { SelectEventsDto } from '../../dto/list-events.dto.js';
import { type Column, MAX_COLUMNS, parseColumns } from '../columns.js';
import { EXPORT_FORMATS, type ExportFormat } from '../writers/writers.js';

/** Query parameters of `GET /events/export`: those of the list without its pages, the format and the columns. */
export class ExportQueryDto extends SelectEventsDto {
  @Choice(EXPORT_FORMATS, 'The format of the file.', 'ndjson')
  format?: ExportFormat;

  @ApiPropertyOptional({
    type: String,
    example: 'timestamp,session_id,data.path',
    description:
      `The columns, in their order, at most ${MAX_COLUMNS}: fields and paths inside \`data\`, with commas. By default all ` +
      'fields; in NDJSON those that an application sends.',
  })
  @ParsedText(parseColumns)
  columns?: Column[];
}
