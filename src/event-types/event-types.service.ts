import { Injectable } from '@nestjs/common';
import { APPLICATION_NAME } from '../auth/application-name.js';
import { actorOf } from '../auth/audit.js';
import { applicationNotFound } from '../auth/auth-errors.js';
import type { Caller } from '../auth/caller.js';
import { Timeslice } from '../platform/async/timeslice.js';
import { ClickHouseUnavailableError } from '../platform/clickhouse/clickhouse-errors.js';
import { DomainError, type FieldErrors, NotFoundError } from '../platform/errors/domain-error.js';
import { currentQuestion } from '../platform/questions/question.js';
import { EventTypes, MAX_APPLICATION_SIZE } from './event-types.cache.js';
import {
  type ApplicationTypeKey,
  EventTypesRepository,
  type EventTypeVersion,
  type Mode,
} from './event-types.repository.js';
import { type Sample, SamplesRepository } from './samples.repository.js';
import type { PayloadSchema } from './schema/payload-schema.js';
import { SchemaCompiler } from './schema/schema-compiler.js';
import { Suggestion } from './schema/suggestion.js';
import { decodeTypeCursor, encodeTypeCursor } from './type-cursor.js';

/** Attempts of a change while others change the same type. */
const MAX_ATTEMPTS = 10;

/** Events that a suggestion is made from. */
const MAX_SUGGESTION_SAMPLES = 1000;

/** Refused events that a check returns. */
const MAX_EXAMPLES = 10;

/** Schemas of an application to register or to try that may wait to be compiled. */
const MAX_WAITING_SCHEMAS = 20;

/** Others changed the type at the same time, MAX_ATTEMPTS times. */
export class ChangeConflictError extends DomainError {
  constructor() {
    super('conflict', 'conflict', 'Others changed this event type at the same time; try again.');
  }
}

export class TooManySchemasError extends DomainError {
  constructor() {
    super(
      'conflict',
      'too_many_schemas',
      `The schemas of an application may have ${MAX_APPLICATION_SIZE.toLocaleString('en')} characters together: ` +
        'delete types that are not used.',
    );
  }
}

export class TypeNotFoundError extends NotFoundError {
  constructor() {
    super('There is no such event type.');
  }
}

/** @throws TypeNotFoundError for no version, or a deletion */
function existing(version: EventTypeVersion | undefined): EventTypeVersion {
  if (version === undefined || version.schema === null) throw new TypeNotFoundError();
  return version;
}

/** The result of a change. */
export interface Change {
  readonly outcome: 'created' | 'changed' | 'unchanged';
  readonly version: EventTypeVersion;
}

/** How many stored events match a schema. */
export interface Trial {
  readonly examined: number;
  readonly refused: number;
  readonly examples: { id: string; errors: FieldErrors }[];
}

export interface VersionPage {
  readonly versions: EventTypeVersion[];
  /** The cursor of the next page; null if there is none. */
  readonly next: string | null;
}

/** Registers event types and tries schemas on stored events. */
@Injectable()
export class EventTypesService {
  constructor(
    private readonly repository: EventTypesRepository,
    private readonly types: EventTypes,
    private readonly compiler: SchemaCompiler,
    private readonly samples: SamplesRepository,
  ) {}

  /**
   * The application whose types a request is about: the one that it names, otherwise that of its caller.
   * @throws NotFoundError if there is none of this name; DatabaseUnavailableError
   */
  async applicationOf(named: string | undefined, caller: Caller): Promise<string> {
    if (named === undefined || named === caller.application) return caller.application;
    if (!APPLICATION_NAME.test(named) || !(await this.repository.hasApplication(named)))
      throw applicationNotFound();
    return named;
  }

  /**
   * The current version of a type.
   * @throws TypeNotFoundError, DatabaseUnavailableError
   */
  async find(key: ApplicationTypeKey): Promise<EventTypeVersion> {
    return existing(await this.repository.read(key));
  }

  /**
   * The current types of an application by category and name.
   * @param after the cursor of the page
   * @throws InvalidParametersError for an unknown cursor; DatabaseUnavailableError
   */
  async list(application: string, limit: number, after?: string): Promise<VersionPage> {
    const key = after === undefined ? undefined : decodeTypeCursor(after);
    return toPage(await this.repository.list(application, limit + 1, key), limit, encodeTypeCursor);
  }

  /**
   * All versions of a type, newest first, from before version `before` on.
   * @throws TypeNotFoundError when there never was such a type; DatabaseUnavailableError
   */
  async history(key: ApplicationTypeKey, limit: number, before?: number): Promise<VersionPage> {
    const versions = await this.repository.history(key, limit + 1, before);
    if (versions.length === 0 && before === undefined) throw new TypeNotFoundError();
    return toPage(versions, limit, ({ version }) => String(version));
  }

  /**
   * Registers a type or changes it. Makes no version if nothing changes.
   * @throws SchemaError, TooManySchemasError, ChangeConflictError, UnavailableError, DatabaseUnavailableError
   */
  async put(key: ApplicationTypeKey, schema: unknown, mode: Mode, caller: Caller): Promise<Change> {
    const compiled = await this.compiler.compile(key.application, schema, MAX_WAITING_SCHEMAS);
    const text = JSON.stringify(schema);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const latest = await this.repository.latest(key);
      if (latest?.schema === text && latest.mode === mode) return { outcome: 'unchanged', version: latest };
      const isLarger = text.length > (latest?.schema?.length ?? 0);
      if (isLarger && !this.types.hasRoomFor(key, text)) throw new TooManySchemasError();
      const version = await this.add(key, latest, { schema: text, mode }, caller, compiled);
      if (version) return { outcome: (latest?.schema ?? null) === null ? 'created' : 'changed', version };
    }
    throw new ChangeConflictError();
  }

  /**
   * Deletes a type, whose events then have an unknown type. Its versions stay.
   * @throws TypeNotFoundError, ChangeConflictError, DatabaseUnavailableError
   */
  async delete(key: ApplicationTypeKey, caller: Caller): Promise<void> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const latest = existing(await this.repository.latest(key));
      if (await this.add(key, latest, { schema: null, mode: null }, caller)) return;
    }
    throw new ChangeConflictError();
  }

  /**
   * Tries a schema on the newest stored events of a type.
   * @throws SchemaError, UnavailableError, ClickHouseUnavailableError, DatabaseUnavailableError
   */
  async check(key: ApplicationTypeKey, schema: unknown, limit: number): Promise<Trial> {
    const payloadSchema = await this.compiler.compile(key.application, schema, MAX_WAITING_SCHEMAS);
    const examples: Trial['examples'] = [];
    let examined = 0;
    let refused = 0;
    for await (const { id, data } of this.samplesOf(key, limit)) {
      examined++;
      const errors = payloadSchema.explain(data);
      if (errors === undefined) continue;
      refused++;
      if (examples.length < MAX_EXAMPLES) examples.push({ id, errors });
    }
    return { examined, refused, examples };
  }

  /**
   * Suggests a schema that the newest stored events of a type match.
   * @throws NotFoundError when no event of the type is stored; ClickHouseUnavailableError, DatabaseUnavailableError
   */
  async suggest(key: ApplicationTypeKey): Promise<{ examined: number; schema: Record<string, unknown> }> {
    const suggestion = new Suggestion();
    for await (const { data } of this.samplesOf(key, MAX_SUGGESTION_SAMPLES)) suggestion.add(data);
    if (suggestion.examined === 0) throw new NotFoundError('No event of this type is stored.');
    return { examined: suggestion.examined, schema: suggestion.schema() };
  }

  /** The newest stored events of a type. The question pays for what is done with them, until nobody waits for its answer. */
  private async *samplesOf(key: ApplicationTypeKey, limit: number): AsyncGenerator<Sample> {
    const question = currentQuestion();
    const slice = new Timeslice();
    for await (const sample of this.samples.newest(key, limit)) {
      if (slice.isOver) await slice.next();
      if (question?.signal?.aborted) throw new ClickHouseUnavailableError('The question was cancelled.');
      const startedAt = performance.now();
      yield sample;
      question?.charge(performance.now() - startedAt);
    }
  }

  /**
   * Adds the next version, also to the cache of this process.
   * @returns undefined if another process has added that version
   */
  private async add(
    key: ApplicationTypeKey,
    latest: EventTypeVersion | undefined,
    content: Pick<EventTypeVersion, 'schema' | 'mode'>,
    caller: Caller,
    compiled?: PayloadSchema,
  ): Promise<EventTypeVersion | undefined> {
    const version = await this.repository.insert(
      {
        ...key,
        ...content,
        version: (latest?.version ?? 0) + 1,
        changed_by: caller.application,
        changed_by_key: caller.keyId ?? null,
      },
      actorOf(caller),
    );
    if (version) this.types.add(version, compiled);
    return version;
  }
}

/** @param found one version more than `limit` if there is a next page */
function toPage(
  found: EventTypeVersion[],
  limit: number,
  cursorOf: (last: EventTypeVersion) => string,
): VersionPage {
  const versions = found.slice(0, limit);
  const last = found.length > limit ? versions.at(-1) : undefined;
  return { versions, next: last ? cursorOf(last) : null };
}
