import { EXPORTS, type Exported, type Exporting, type ExportResults } from '../export/export.js';
import { sizeOf } from './ask-section.js';
import { spell, table } from './table.js';

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

Everything in one request, beside \`COPY\` of the same rows to a client. *Grown* is by how much the memory of The Eye was larger at its
largest meanwhile than before: what the smaller ones have made room for, the larger ones find there.

${table(['what', 'events', 'first byte, ms', 'events/s', 'MiB/s', 'grown, MiB'], rows)}
`;
}
