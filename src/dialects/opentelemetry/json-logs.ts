import { EVENT_BOUNDS } from '../../events/event-reader.js';
import { Timeslice } from '../../platform/async/timeslice.js';
import { InvalidFieldsError } from '../../platform/errors/domain-error.js';
import { emptyBody, malformedJson } from '../../platform/http/http-errors.js';
import { JsonScanner } from '../../platform/json/json-scanner.js';
import { JsonCursor } from './json-cursor.js';
import { checkResourceSize, MessageCounter } from './limits.js';
import type { LogsEncoding, Members, ResourceLogs, ScopeLogs } from './logs-request.js';

/** OTLP/JSON. @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding */
export const JSON_LOGS: LogsEncoding = {
  divide: (bytes, maxRecords) => new JsonLogs(bytes, maxRecords).divide(),
  mayHaveEventName: (record) =>
    record.includes('eventName"') || record.includes('event.name"') || record.includes('\\u'),
  textOf: (record) => record.toString('latin1'),
};

/** Divides a request in one pass, without parsing the records. */
class JsonLogs {
  private readonly cursor: JsonCursor;
  private readonly slice = new Timeslice();
  private readonly resourceCounter: MessageCounter;
  private readonly scopeCounter: MessageCounter;
  private readonly recordCounter: MessageCounter;

  constructor(
    private readonly bytes: Buffer,
    maxRecords: number,
  ) {
    this.cursor = new JsonCursor(bytes);
    this.resourceCounter = new MessageCounter(maxRecords);
    this.scopeCounter = new MessageCounter(maxRecords);
    this.recordCounter = new MessageCounter(maxRecords);
  }

  async divide(): Promise<ResourceLogs[]> {
    await this.checkSyntax();
    const resources: ResourceLogs[] = [];
    const { members, hasArray } = await this.readAround('resourceLogs', async () => {
      this.resourceCounter.add();
      if (this.cursor.isAtObject) resources.push(await this.readResource());
      else this.cursor.skipValue();
    });
    // Without any member it is a request without records.
    if (!hasArray && members !== '')
      throw new InvalidFieldsError({ resourceLogs: ['This field is required.'] });
    return resources;
  }

  /** @throws DomainError `empty_body`, `malformed_json` */
  private async checkSyntax(): Promise<void> {
    const scanner = new JsonScanner(this.bytes, false, EVENT_BOUNDS, 1);
    await scanner.run(this.slice);
    if (scanner.syntaxError !== undefined) throw malformedJson(scanner.syntaxError);
    if (scanner.values.length === 0 && !scanner.isMany) throw emptyBody('The body is empty.');
    if (!this.cursor.isAtObject) throw malformedJson('The body must be an object with resourceLogs.');
  }

  private async readResource(): Promise<ResourceLogs> {
    const scopes: ScopeLogs[] = [];
    const { members } = await this.readAround('scopeLogs', async () => {
      this.scopeCounter.add();
      if (this.cursor.isAtObject) scopes.push(await this.readScope());
      else this.cursor.skipValue();
    });
    return { members, scopes };
  }

  private async readScope(): Promise<ScopeLogs> {
    const records: Buffer[] = [];
    const { cursor, slice } = this;
    const { members } = await this.readAround('logRecords', async (start) => {
      this.recordCounter.add();
      cursor.skipValue();
      records.push(this.bytes.subarray(start, cursor.offset));
      if (slice.isOver) await slice.next();
    });
    return { members, records };
  }

  /**
   * Reads an object.
   * @param array name of the member whose elements are read one by one
   * @param readElement moves over the element at the cursor
   * @returns the other members, as they were sent
   */
  private async readAround(
    array: string,
    readElement: (start: number) => Promise<void>,
  ): Promise<{ members: Members; hasArray: boolean }> {
    const { cursor, slice } = this;
    const others: string[] = [];
    let hasArray = false;
    let size = 0;
    for (const { name, start } of cursor.members()) {
      if (slice.isOver) await slice.next();
      if (name !== array) {
        cursor.skipValue();
        checkResourceSize((size += cursor.offset - start));
        others.push(this.bytes.toString('latin1', start, cursor.offset));
      } else if (cursor.isAtArray) {
        hasArray = true;
        for (const at of cursor.elements()) await readElement(at);
      } else if (cursor.isAtNull) cursor.skipValue();
      else throw new InvalidFieldsError({ [array]: ['Must be an array.'] });
    }
    return { members: others.join(','), hasArray };
  }
}
