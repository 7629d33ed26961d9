import { Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import type { FieldErrors } from '../platform/http/problem.js';
import { EventTypes } from './event-types.registry.js';
import {
  EventTypesRepository,
  type EventTypeVersion,
  type Mode,
  type TypeKey,
} from './event-types.repository.js';
import { SamplesRepository } from './samples.repository.js';
import { PayloadSchema } from './schema/payload-schema.js';
import { Suggestion } from './schema/suggestion.js';

/** Times that a change is tried again when others change the same type at the same moment. */
const TRIES = 10;

/** Events that a suggestion is made from, at the most. */
const SUGGESTED_FROM = 1000;

/** Refused events that a check shows. */
const EXAMPLES = 10;

/** Others changed the type at the same moment, again and again. */
export class ChangeConflictError extends Error {}

/** What became of a change. */
export interface Change {
  readonly outcome: 'created' | 'changed' | 'unchanged';
  readonly version: EventTypeVersion;
}

/** How a schema does on stored events. */
export interface Trial {
  readonly examined: number;
  readonly refused: number;
  readonly examples: { id: string; errors: FieldErrors }[];
}

/** Registers event types, and tries schemas on what is stored. Knows nothing of HTTP. */
@Injectable()
export class EventTypesService {
  constructor(
    private readonly repository: EventTypesRepository,
    private readonly types: EventTypes,
    private readonly samples: SamplesRepository,
  ) {}

  /** The type as it is now. */
  async find(key: TypeKey): Promise<EventTypeVersion | undefined> {
    const version = await this.repository.latest(key);
    return version?.schema === null ? undefined : version;
  }

  list(limit: number, after?: TypeKey): Promise<EventTypeVersion[]> {
    return this.repository.list(limit, after);
  }

  /** Newest first; none where there never was such a type. */
  history(key: TypeKey, limit: number, before?: number): Promise<EventTypeVersion[]> {
    return this.repository.history(key, limit, before);
  }

  /**
   * Registers a type or changes it; what is the same as before makes no version.
   * @throws SchemaError, ChangeConflictError, DatabaseUnavailableError
   */
  async put(key: TypeKey, schema: unknown, mode: Mode, caller: Caller): Promise<Change> {
    new PayloadSchema(schema);
    const text = JSON.stringify(schema);
    for (let tries = 0; tries < TRIES; tries++) {
      const latest = await this.repository.latest(key);
      if (latest?.schema === text && latest.mode === mode) return { outcome: 'unchanged', version: latest };
      const version = await this.add(key, latest, { schema: text, mode }, caller);
      if (version) return { outcome: (latest?.schema ?? null) === null ? 'created' : 'changed', version };
    }
    throw new ChangeConflictError();
  }

  /**
   * Deletes a type; its events are then of an unknown one. Its versions stay.
   * @returns false where there is no such type
   * @throws ChangeConflictError, DatabaseUnavailableError
   */
  async delete(key: TypeKey, caller: Caller): Promise<boolean> {
    for (let tries = 0; tries < TRIES; tries++) {
      const latest = await this.repository.latest(key);
      if (latest === undefined || latest.schema === null) return false;
      if (await this.add(key, latest, { schema: null, mode: null }, caller)) return true;
    }
    throw new ChangeConflictError();
  }

  /**
   * Tries a schema on the newest stored events of a type.
   * @throws SchemaError, DatabaseUnavailableError
   */
  async check(key: TypeKey, schema: unknown, limit: number): Promise<Trial> {
    const payloads = new PayloadSchema(schema);
    const examples: Trial['examples'] = [];
    let examined = 0;
    let refused = 0;
    for await (const { id, data } of this.samples.newest(key, limit)) {
      examined++;
      if (payloads.fits(data)) continue;
      refused++;
      if (examples.length < EXAMPLES) examples.push({ id, errors: payloads.explain(data) });
    }
    return { examined, refused, examples };
  }

  /**
   * A schema that the newest stored events of a type fit; undefined where none is stored.
   * @throws DatabaseUnavailableError
   */
  async suggest(key: TypeKey): Promise<{ examined: number; schema: Record<string, unknown> } | undefined> {
    const suggestion = new Suggestion();
    for await (const { data } of this.samples.newest(key, SUGGESTED_FROM)) suggestion.add(data);
    return suggestion.examined === 0
      ? undefined
      : { examined: suggestion.examined, schema: suggestion.schema() };
  }

  /** The next version, known here at once; undefined where somebody else was faster. */
  private async add(
    key: TypeKey,
    latest: EventTypeVersion | undefined,
    content: Pick<EventTypeVersion, 'schema' | 'mode'>,
    { application, keyId }: Caller,
  ): Promise<EventTypeVersion | undefined> {
    const version = await this.repository.insert({
      ...key,
      ...content,
      version: (latest?.version ?? 0) + 1,
      changed_by: application,
      changed_by_key: keyId ?? null,
    });
    if (version) this.types.learn([version]);
    return version;
  }
}
