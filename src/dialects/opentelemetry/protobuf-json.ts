import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { environment } from '../../platform/config/environment.js';

/** A field of a message in OTLP/JSON. */
interface Field {
  readonly name: string;
  readonly wireType: WireType;
  readonly isRepeated: boolean;
  /** @returns JSON text: bytes as Latin-1 */
  readonly read: (reader: BinaryReader, nesting: Nesting) => string;
}

/** Where a message stands in the one that is written. */
interface Nesting {
  readonly depth: number;
  readonly budget: FieldBudget;
}

/** The message has more fields than any event. */
export class TooManyFieldsError extends Error {}

/**
 * Bounds the work on a message, because small messages of few bytes cost as much as large ones. A value in a list takes at
 * least two bytes in the payload of an event, and three from the budget: its field, its message and the field in that.
 */
class FieldBudget {
  private left = Math.ceil(1.5 * environment.DATA_LIMIT);

  /** @throws TooManyFieldsError */
  take(fields: number): void {
    this.left -= fields;
    if (this.left < 0) throw new TooManyFieldsError();
  }
}

/** The fields of a message by their numbers. Other fields are ignored, as OTLP demands. */
type Message = readonly (Field | undefined)[];

const scalar = (name: string, wireType: WireType, read: (reader: BinaryReader) => string): Field => ({
  name,
  wireType,
  isRepeated: false,
  read,
});

/** A text, with its bytes as they are: whether they are UTF-8 is checked with the rest of the item. */
const string = (name: string): Field =>
  scalar(name, WireType.LengthDelimited, (reader) => JSON.stringify(bytesOf(reader).toString('latin1')));
const bytes = (name: string, encoding: 'hex' | 'base64'): Field =>
  scalar(name, WireType.LengthDelimited, (reader) => `"${bytesOf(reader).toString(encoding)}"`);
const uint32 = (name: string): Field =>
  scalar(name, WireType.Varint, (reader) => String(reader.uint32() >>> 0));
const fixed32 = (name: string): Field => scalar(name, WireType.Bit32, (reader) => String(reader.fixed32()));
const fixed64 = (name: string): Field => scalar(name, WireType.Bit64, (reader) => `"${reader.fixed64()}"`);
const int64 = (name: string): Field => scalar(name, WireType.Varint, (reader) => `"${reader.int64()}"`);
const bool = (name: string): Field => scalar(name, WireType.Varint, (reader) => String(reader.bool()));
const double = (name: string): Field => scalar(name, WireType.Bit64, (reader) => doubleText(reader.double()));

/** @param message returns it, because messages contain each other */
const message = (name: string, message: () => Message): Field => ({
  name,
  wireType: WireType.LengthDelimited,
  isRepeated: false,
  read: (reader, { depth, budget }) => {
    budget.take(1);
    const length = reader.uint32();
    return write(reader, reader.pos + length, message(), { depth: depth + 1, budget });
  },
});
const repeated = (field: Field): Field => ({ ...field, isRepeated: true });

/** What JSON has no number for is a text, as in the mapping of Protobuf to JSON. */
function doubleText(value: number): string {
  return Number.isFinite(value) && !Object.is(value, -0) ? JSON.stringify(value) : `"${signed(value)}"`;
}

const signed = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

export function bytesOf(reader: BinaryReader): Buffer {
  const { buffer, byteOffset, length } = reader.bytes();
  return Buffer.from(buffer, byteOffset, length);
}

// The messages of opentelemetry/proto/{common,resource,logs}/v1, by the numbers of their fields.
const ANY_VALUE: Message = [
  undefined,
  string('stringValue'),
  bool('boolValue'),
  int64('intValue'),
  double('doubleValue'),
  message('arrayValue', () => ARRAY_VALUE),
  message('kvlistValue', () => KEY_VALUE_LIST),
  bytes('bytesValue', 'base64'),
];
const KEY_VALUE: Message = [undefined, string('key'), message('value', () => ANY_VALUE)];
const ARRAY_VALUE: Message = [undefined, repeated(message('values', () => ANY_VALUE))];
const KEY_VALUE_LIST: Message = [undefined, repeated(message('values', () => KEY_VALUE))];
const attributes = repeated(message('attributes', () => KEY_VALUE));
const ENTITY_REF: Message = [
  undefined,
  string('schemaUrl'),
  string('type'),
  repeated(string('idKeys')),
  repeated(string('descriptionKeys')),
];
export const RESOURCE: Message = [
  undefined,
  attributes,
  uint32('droppedAttributesCount'),
  repeated(message('entityRefs', () => ENTITY_REF)),
];
export const SCOPE: Message = [
  undefined,
  string('name'),
  string('version'),
  attributes,
  uint32('droppedAttributesCount'),
];
export const LOG_RECORD: Message = [
  undefined,
  fixed64('timeUnixNano'),
  uint32('severityNumber'),
  string('severityText'),
  undefined,
  message('body', () => ANY_VALUE),
  attributes,
  uint32('droppedAttributesCount'),
  fixed32('flags'),
  bytes('traceId', 'hex'),
  bytes('spanId', 'hex'),
  fixed64('observedTimeUnixNano'),
  string('eventName'),
];

/**
 * Writes a message as OTLP/JSON. Nesting is followed deeper than that of any event, because its item is refused for that.
 * @returns bytes as Latin-1
 * @throws TooManyFieldsError, and Error of any kind if the bytes are no such message
 */
export const protobufToJson = (bytes: Buffer, message: Message): string =>
  write(new BinaryReader(bytes), bytes.length, message, { depth: 0, budget: new FieldBudget() });

/** @param end offset after the last byte of the message: a reader for each message would cost more than its fields */
function write(reader: BinaryReader, end: number, message: Message, nesting: Nesting): string {
  if (end > reader.len) throw new RangeError('it ends too early');
  if (nesting.depth > environment.DEPTH_LIMIT) {
    reader.pos = end;
    return 'null';
  }
  const members: string[] = [];
  const lists = new Map<string, string[]>();
  while (reader.pos < end) {
    nesting.budget.take(1);
    const [number, wireType] = reader.tag();
    const field = message[number];
    if (field) {
      checkWireType(number, wireType, field.wireType);
      const text = field.read(reader, nesting);
      if (!field.isRepeated) members.push(`"${field.name}":${text}`);
      else {
        const list = lists.get(field.name);
        if (list) list.push(text);
        else lists.set(field.name, [text]);
      }
    } else skip(reader, number, wireType);
    if (reader.pos > end) throw new RangeError('it ends too early');
  }
  for (const [name, texts] of lists) members.push(`"${name}":[${texts.join(',')}]`);
  return `{${members.join(',')}}`;
}

/** Skips an unknown field. OTLP has no groups, which may be nested. */
export function skip(reader: BinaryReader, number: number, wireType: WireType): void {
  if (wireType === WireType.StartGroup || wireType === WireType.EndGroup)
    throw new Error(`field ${number} is a group`);
  reader.skip(wireType, number);
}

export function checkWireType(number: number, found: WireType, expected: WireType): void {
  if (found !== expected) throw new Error(`field ${number} has the wire type ${found}, not ${expected}`);
}
