import { EXPORT_KINDS, type ExportResult, type ExportKind, type ExportResults } from '../export/export.js';
import { sizeOf } from './lists-section.js';
import { formatNumber, table } from '../../testing/table.js';

const MEBIBYTE = 2 ** 20;

export function exportSection({ sizes, exports }: ExportResults): string {
  const cell = (size: number, { firstByte, seconds, bytes, grown }: ExportResult): string[] => [
    formatNumber(firstByte),
    formatNumber(size / seconds),
    formatNumber(bytes / MEBIBYTE / seconds),
    grown === undefined ? '' : formatNumber(grown / MEBIBYTE),
  ];
  const rows = sizes.flatMap((size, at) =>
    (Object.keys(EXPORT_KINDS) as ExportKind[]).flatMap((kind) => {
      const each = exports[kind][at];
      return each ? [[EXPORT_KINDS[kind], sizeOf(size), ...cell(size, each)]] : [];
    }),
  );
  return `## Exporting

All events in one request, compared with \`COPY\` of the same rows to a client. *Growth* is the peak memory of The Eye during the export
minus its memory before. Later exports reuse memory that earlier ones have allocated.

${table(['export', 'events', 'first byte, ms', 'events/s', 'MiB/s', 'growth, MiB'], rows)}
`;
}
