import { Injectable, Logger } from '@nestjs/common';
import { environment } from '../platform/config/environment.js';
import { DatabaseUnavailableError } from '../platform/database/database-errors.js';
import type { FieldErrors } from '../platform/http/problem.js';
import type { RejectionCode } from '../platform/model/rejection.js';
import type { EventTypeVersion, Mode, TypeKey } from './event-types.repository.js';
import { PayloadSchema } from './schema/payload-schema.js';

/** What an event type holds against an event: `refused`, or accepted and only to be noted. */
export interface Objection {
  readonly refused: boolean;
  readonly code: Extract<RejectionCode, 'payload_mismatch' | 'unknown_type'>;
  /** Messages by path, e.g. `data.form.first_name`. */
  readonly errors: FieldErrors;
}

/** A version of an event type. Its schema is compiled when the first event of the type comes, and once. */
class KnownType {
  private readonly logger = new Logger('EventTypes');
  private compiled: PayloadSchema | undefined;
  private broken = false;

  constructor(
    readonly version: number,
    private readonly key: TypeKey,
    /** Null where the type was deleted. */
    private readonly text: string | null,
    readonly mode: Mode | null,
  ) {}

  get exists(): boolean {
    return this.text !== null;
  }

  /** Undefined where it cannot be compiled, although it could once: events are then taken rather than lost. */
  get schema(): PayloadSchema | undefined {
    if (this.compiled || this.broken || this.text === null) return this.compiled;
    try {
      return (this.compiled = new PayloadSchema(JSON.parse(this.text)));
    } catch (error) {
      this.broken = true;
      const { category, name } = this.key;
      this.logger.error(
        `Version ${this.version} of (${category}, ${name}) is not enforced: ${(error as Error).message}`,
      );
      return undefined;
    }
  }
}

/** The event types of this moment, in memory. EventTypesFeed keeps them fresh. */
@Injectable()
export class EventTypes {
  private readonly types = new Map<string, Map<string, KnownType>>();
  private loaded = false;

  /**
   * What the type of an event holds against it; undefined where nothing, which is the rule.
   * @throws DatabaseUnavailableError while nobody knows what is registered, since PostgreSQL could not yet be asked
   */
  check(category: string, name: string, data: Record<string, unknown>): Objection | undefined {
    if (!this.loaded) throw new DatabaseUnavailableError();
    const type = this.types.get(category)?.get(name);
    if (type === undefined || !type.exists) return unknownType(category, name);
    const { schema } = type;
    if (schema === undefined || schema.fits(data)) return undefined;
    return { refused: type.mode === 'enforce', code: 'payload_mismatch', errors: schema.explain(data) };
  }

  /** Takes in versions, in any order; those that are older than what is known change nothing. */
  learn(versions: readonly EventTypeVersion[]): void {
    for (const { category, name, version, schema, mode } of versions) {
      if (version <= this.versionOf({ category, name })) continue;
      const names = this.types.get(category) ?? new Map<string, KnownType>();
      this.types.set(category, names.set(name, new KnownType(version, { category, name }, schema, mode)));
    }
    this.loaded = true;
  }

  /** The newest version that is known here; 0 for none. */
  versionOf({ category, name }: TypeKey): number {
    return this.types.get(category)?.get(name)?.version ?? 0;
  }
}

function unknownType(category: string, name: string): Objection | undefined {
  if (environment.UNKNOWN_TYPES === 'accept') return undefined;
  const message = `There is no event type (${category}, ${name}).`;
  return {
    refused: environment.UNKNOWN_TYPES === 'refuse',
    code: 'unknown_type',
    errors: { name: [message] },
  };
}
