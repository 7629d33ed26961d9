import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** A log record whose attributes are texts. */
export interface LogRecord {
  readonly eventName: string;
  readonly timeUnixNano: string;
  readonly attributes: readonly [key: string, text: string][];
}

type Write = (writer: BinaryWriter) => unknown;

/** A field that holds a message. */
function message(writer: BinaryWriter, number: number, write: Write): void {
  writer.tag(number, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
}

function text(writer: BinaryWriter, number: number, value: string): void {
  writer.tag(number, WireType.LengthDelimited).string(value);
}

function writeRecord(writer: BinaryWriter, { eventName, timeUnixNano, attributes }: LogRecord): void {
  writer.tag(1, WireType.Bit64).fixed64(timeUnixNano);
  for (const [key, value] of attributes)
    message(writer, 6, (attribute) => {
      text(attribute, 1, key);
      message(attribute, 2, (anyValue) => text(anyValue, 1, value));
    });
  text(writer, 12, eventName);
}

/** An ExportLogsServiceRequest of one resource and one scope, which match those of the JSON. */
export function exportRequest(records: readonly LogRecord[]): Buffer {
  const writer = new BinaryWriter();
  message(writer, 1, (resourceLogs) =>
    message(resourceLogs, 2, (scopeLogs) => {
      message(scopeLogs, 1, (scope) => text(scope, 1, 'fuzz'));
      for (const record of records) message(scopeLogs, 2, (each) => writeRecord(each, record));
    }),
  );
  return Buffer.from(writer.finish());
}
