import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { ItemResult } from '../ingestion.js';

/** What became of a request, in OTLP/JSON. */
export interface ExportLogsResponse {
  /** Absent if all records were accepted. */
  readonly partialSuccess?: {
    /** A decimal number, because it has 64 bits. */
    readonly rejectedLogRecords: string;
    readonly errorMessage: string;
  };
}

/** Reasons that a message names. */
const MAX_REASONS = 3;

/** @param skipped records without an event name */
export function toExportResponse(results: readonly ItemResult[], skipped: number): ExportLogsResponse {
  const violations = results.flatMap(({ violation }) => violation ?? []);
  const rejected = violations.length + skipped;
  if (rejected === 0) return {};
  const reasons = new Map<string, number>();
  for (const { code, errors } of violations) {
    const [field = '', [message = ''] = []] = Object.entries(errors)[0] ?? [];
    const reason = `${code} (${field}: ${message})`;
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  const named = [...reasons].slice(0, MAX_REASONS).map(([reason, count]) => `${count} refused: ${reason}`);
  if (reasons.size > MAX_REASONS) named.push('others refused for other reasons');
  if (skipped > 0) named.unshift(`${skipped} without an event name, which are no events`);
  return { partialSuccess: { rejectedLogRecords: String(rejected), errorMessage: `${named.join('; ')}.` } };
}

/** The message ExportLogsServiceResponse. */
export function encodeExportResponse({ partialSuccess }: ExportLogsResponse): Buffer {
  const writer = new BinaryWriter();
  if (partialSuccess)
    writer
      .tag(1, WireType.LengthDelimited)
      .fork()
      .tag(1, WireType.Varint)
      .int64(partialSuccess.rejectedLogRecords)
      .tag(2, WireType.LengthDelimited)
      .string(partialSuccess.errorMessage)
      .join();
  return Buffer.from(writer.finish());
}
