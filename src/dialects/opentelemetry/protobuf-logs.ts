import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { Timeslice } from '../../platform/async/timeslice.js';
import { DomainError } from '../../platform/errors/domain-error.js';
import { checkResourceSize, MessageCounter, resourceTooLarge } from './limits.js';
import type { LogsEncoding, ResourceLogs, ScopeLogs } from './logs-request.js';
import {
  bytesOf,
  checkWireType,
  LOG_RECORD,
  RESOURCE,
  SCOPE,
  skip,
  protobufToJson,
  TooManyFieldsError,
} from './protobuf-json.js';

/** Fields after which the clock is looked at. */
const STEP_FIELDS = 256;

const EVENT_NAME = 12;

/**
 * OTLP in Protobuf. It is decoded field by field, and not as one message, because a decoder of whole messages holds the event
 * loop as long as a sender likes, and refuses all records for one text that is no UTF-8.
 */
export const PROTOBUF_LOGS: LogsEncoding = {
  divide: (bytes, maxRecords) => new ProtobufLogs(maxRecords).divide(bytes),
  mayHaveEventName: (record) => record.includes('event.name') || hasField(record, EVENT_NAME),
  textOf: (record) => jsonOf(record, LOG_RECORD),
};

class ProtobufLogs {
  private readonly slice = new Timeslice();
  private fields = 0;
  private readonly resourceCounter: MessageCounter;
  private readonly scopeCounter: MessageCounter;
  private readonly recordCounter: MessageCounter;

  constructor(maxRecords: number) {
    this.resourceCounter = new MessageCounter(maxRecords);
    this.scopeCounter = new MessageCounter(maxRecords);
    this.recordCounter = new MessageCounter(maxRecords);
  }

  /** Reads an ExportLogsServiceRequest. */
  async divide(bytes: Buffer): Promise<ResourceLogs[]> {
    const resources: ResourceLogs[] = [];
    for (const [number, message] of messagesOf(bytes, 1)) {
      await this.yieldIfDue();
      if (number !== 1) continue;
      this.resourceCounter.add();
      resources.push(await this.readResource(message));
    }
    return resources;
  }

  private async readResource(bytes: Buffer): Promise<ResourceLogs> {
    const members: string[] = [];
    const scopes: ScopeLogs[] = [];
    let size = 0;
    for (const [number, message] of messagesOf(bytes, 3)) {
      await this.yieldIfDue();
      if (number === 2) {
        this.scopeCounter.add();
        scopes.push(await this.readScope(message));
        continue;
      }
      checkResourceSize((size += message.length));
      if (number === 1) members.push(`"resource":${this.describe(message, RESOURCE)}`);
      if (number === 3) members.push(`"schemaUrl":${JSON.stringify(message.toString('latin1'))}`);
    }
    return { members: members.join(','), scopes };
  }

  private async readScope(bytes: Buffer): Promise<ScopeLogs> {
    const members: string[] = [];
    const records: Buffer[] = [];
    let size = 0;
    for (const [number, message] of messagesOf(bytes, 3)) {
      await this.yieldIfDue();
      if (number === 2) {
        this.recordCounter.add();
        records.push(message);
        continue;
      }
      checkResourceSize((size += message.length));
      if (number === 1) members.push(`"scope":${this.describe(message, SCOPE)}`);
      if (number === 3) members.push(`"schemaUrl":${JSON.stringify(message.toString('latin1'))}`);
    }
    return { members: members.join(','), records };
  }

  /** The JSON text of a resource or a scope. */
  private describe(bytes: Buffer, message: typeof RESOURCE): string {
    const text = jsonOf(bytes, message);
    if (text === undefined) throw resourceTooLarge();
    return text;
  }

  private async yieldIfDue(): Promise<void> {
    if (++this.fields % STEP_FIELDS === 0 && this.slice.isOver) await this.slice.next();
  }
}

/**
 * The fields of a message, all of whose known ones are texts or messages. An unknown field has no bytes.
 * @param last number of the last known field
 */
function* messagesOf(bytes: Buffer, last: number): Generator<[number: number, message: Buffer]> {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) yield decoding(() => nextMessage(reader, last));
}

/** @returns undefined for a message with more fields than any event */
function jsonOf(bytes: Buffer, message: typeof RESOURCE): string | undefined {
  return decoding(() => {
    try {
      return protobufToJson(bytes, message);
    } catch (error) {
      if (error instanceof TooManyFieldsError) return undefined;
      throw error;
    }
  });
}

const NO_BYTES = Buffer.alloc(0);

function nextMessage(reader: BinaryReader, last: number): [number: number, message: Buffer] {
  const [number, wireType] = reader.tag();
  if (number <= last) {
    checkWireType(number, wireType, WireType.LengthDelimited);
    return [number, bytesOf(reader)];
  }
  skip(reader, number, wireType);
  return [number, NO_BYTES];
}

function hasField(bytes: Buffer, wanted: number): boolean {
  return decoding(() => {
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [number, wireType] = reader.tag();
      if (number === wanted) return true;
      skip(reader, number, wireType);
    }
    return false;
  });
}

/** @throws DomainError `malformed_protobuf` for every error of the decoder */
function decoding<Result>(decode: () => Result): Result {
  try {
    return decode();
  } catch (error) {
    const reason = (error as Error).message;
    throw new DomainError(
      'invalid',
      'malformed_protobuf',
      `Not a valid Protobuf message of logs: ${reason}.`,
      {
        cause: error,
      },
    );
  }
}
