import { EXPORTS, type Exported, type Exporting, type ExportResults } from '../export/export.js';
import { sizeOf } from './ask-section.js';
import { spell, table } from '../../testing/table.js';

const MEBIBYTE = 2 ** 20;

export function exportSection({ sizes, exports }: ExportResults): string {
  const cell = (size: number, { firstByte, seconds, bytes, grown }: Exported): string[] => [
    spell(firstByte),
    spell(size / seconds),
    spell(bytes / MEBIBYTE / seconds),
    grown === undefined ? '' : spell(grown / MEBIBYTE),
  ];
  const rows = sizes.flatMap((size, at) =>
    (Object.keys(EXPORTS) as Exporting[]).flatMap((who) => {
      const each = exports[who][at];
      return each ? [[EXPORTS[who], sizeOf(size), ...cell(size, each)]] : [];
    }),
  );
  return `## Exporting

All events in one request, compared with \`COPY\` of the same rows to a client. *Growth* is the peak memory of The Eye during the export
minus its memory before. Later exports reuse memory that earlier ones have allocated.

${table(['export', 'events', 'first byte, ms', 'events/s', 'MiB/s', 'growth, MiB'], rows)}
`;
}
