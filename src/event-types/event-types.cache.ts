import { Inject, Injectable, Logger } from '@nestjs/common';
import { environment } from '../platform/config/environment.js';
import { DatabaseUnavailableError } from '../platform/database/database-errors.js';
import type { FieldErrors } from '../platform/errors/domain-error.js';
import type { RejectionCode } from '../platform/model/rejection.js';
import type { ApplicationTypeKey, EventTypeVersion, Mode } from './event-types.repository.js';
import type { PayloadSchema } from './schema/payload-schema.js';
import { SchemaCompiler, SchemaError } from './schema/schema-compiler.js';

/** How an event violates its type. */
export interface TypeViolation {
  /** False when the event is accepted all the same and the violation is only recorded. */
  readonly refused: boolean;
  readonly code: Extract<RejectionCode, 'payload_mismatch' | 'unknown_type'>;
  /** Messages by path, e.g. `data.form.first_name`. */
  readonly errors: FieldErrors;
}

/** Thrown for an event of a type whose schema is being compiled. */
export class SchemaPendingError extends Error {
  /** @param compiled resolves when the event can be checked; rejects if it cannot be compiled now */
  constructor(readonly compiled: Promise<void>) {
    super('The schema is being compiled.');
  }
}

/** A version of an event type. Its schema is compiled once, when the first event of the type arrives. */
class CachedType {
  private readonly logger = new Logger('EventTypes');
  private compiled: PayloadSchema | undefined;
  private compiling: Promise<void> | undefined;
  private broken = false;

  constructor(
    readonly version: number,
    private readonly key: ApplicationTypeKey,
    /** Null in a version that is a deletion. */
    private readonly text: string | null,
    readonly mode: Mode | null,
    private readonly compiler: Pick<SchemaCompiler, 'compile'>,
  ) {}

  get exists(): boolean {
    return this.text !== null;
  }

  /**
   * Undefined when a schema that was registered can no longer be compiled, which an upgrade of a library may cause. Its
   * events are accepted rather than lost.
   * @throws SchemaPendingError
   */
  get schema(): PayloadSchema | undefined {
    if (this.compiled || this.broken || this.text === null) return this.compiled;
    this.compiling ??= this.compile(this.text).finally(() => (this.compiling = undefined));
    throw new SchemaPendingError(this.compiling);
  }

  private async compile(text: string): Promise<void> {
    try {
      this.compiled = await this.compiler.compile(JSON.parse(text));
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
      this.broken = true;
      const { application, category, name } = this.key;
      this.logger.error(
        `Version ${this.version} of (${category}, ${name}) of ${application} is not enforced: ${describe(error)}`,
      );
    }
  }
}

/** The current event types in memory. EventTypesRefresher keeps them up to date. */
@Injectable()
export class EventTypes {
  /** By application, category and name. */
  private readonly types = new Map<string, Map<string, Map<string, CachedType>>>();
  private loaded = false;
  private isInUse = false;
  /** Called for the first check after each call of `takeUse()`. */
  onUse: () => void = () => undefined;

  constructor(@Inject(SchemaCompiler) private readonly compiler: Pick<SchemaCompiler, 'compile'>) {}

  /**
   * Checks an event against its type in its application.
   * @returns the violation; undefined for a valid event
   * @throws DatabaseUnavailableError until the event types have been loaded from PostgreSQL; SchemaPendingError
   */
  check(
    application: string,
    category: string,
    name: string,
    data: Record<string, unknown>,
  ): TypeViolation | undefined {
    if (!this.loaded) throw new DatabaseUnavailableError();
    if (!this.isInUse) {
      this.isInUse = true;
      this.onUse();
    }
    const type = this.types.get(application)?.get(category)?.get(name);
    if (type === undefined || !type.exists) return unknownType(category, name);
    const errors = type.schema?.explain(data);
    return errors && { refused: type.mode === 'enforce', code: 'payload_mismatch', errors };
  }

  /** Whether an event was checked since the last call. */
  takeUse(): boolean {
    const wasInUse = this.isInUse;
    this.isInUse = false;
    return wasInUse;
  }

  isRegistered({ application, category, name }: ApplicationTypeKey): boolean {
    return this.types.get(application)?.get(category)?.get(name)?.exists === true;
  }

  /** Adds versions in any order. One that is older than the cached version of its type changes nothing. */
  update(versions: readonly EventTypeVersion[]): void {
    for (const { application, category, name, version, schema, mode } of versions) {
      const key = { application, category, name };
      if (version <= this.versionOf(key)) continue;
      const categories = this.types.get(application) ?? new Map<string, Map<string, CachedType>>();
      const names = categories.get(category) ?? new Map<string, CachedType>();
      names.set(name, new CachedType(version, key, schema, mode, this.compiler));
      this.types.set(application, categories.set(category, names));
    }
    this.loaded = true;
  }

  /** The cached version of a type; 0 if there is none. */
  versionOf({ application, category, name }: ApplicationTypeKey): number {
    return this.types.get(application)?.get(category)?.get(name)?.version ?? 0;
  }
}

function describe(error: SchemaError): string {
  return Object.entries(error.errors ?? {})
    .map(([path, messages]) => `${path}: ${messages.join(' ')}`)
    .join(' ');
}

function unknownType(category: string, name: string): TypeViolation | undefined {
  if (environment.UNKNOWN_TYPES === 'accept') return undefined;
  return {
    refused: environment.UNKNOWN_TYPES === 'refuse',
    code: 'unknown_type',
    errors: { name: [`There is no event type (${category}, ${name}).`] },
  };
}
