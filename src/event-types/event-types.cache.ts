import { Inject, Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { environment } from '../platform/config/environment.js';
import { DatabaseUnavailableError } from '../platform/database/database-errors.js';
import type { FieldErrors } from '../platform/errors/domain-error.js';
import type { RejectionCode } from '../platform/model/rejection.js';
import type { ApplicationTypeKey, EventTypeVersion, Mode } from './event-types.repository.js';
import type { PayloadSchema } from './schema/payload-schema.js';
import { SchemaCompiler, SchemaError } from './schema/schema-compiler.js';

/** Bytes of the compiled schemas of an application in memory: ten of the largest, or thousands of usual ones. */
const MAX_COMPILED_BYTES = 32 * 1024 ** 2;

/** Characters of the schemas of one application, which every process of the API keeps. */
export const MAX_APPLICATION_SIZE = 16 * 1024 ** 2;

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

/** A version of an event type. */
interface CachedType {
  readonly key: ApplicationTypeKey;
  readonly version: number;
  /** Null in a version that is a deletion. */
  readonly schema: string | null;
  readonly mode: Mode | null;
  /** Settles when its schema is compiled, while that is under way. */
  compiling?: Promise<void> | undefined;
  /** Whether its schema can no longer be compiled. */
  isBroken?: boolean;
}

/** The types of an application by category and name. */
class ApplicationTypes {
  private readonly categories = new Map<string, Map<string, CachedType>>();
  /** Characters of the schemas together. */
  size = 0;
  /** Schemas are compiled when the first event of their type arrives, and again if others have taken their place since. */
  readonly compiled = new LRUCache<CachedType, PayloadSchema>({
    maxSize: MAX_COMPILED_BYTES,
    sizeCalculation: ({ bytes }) => bytes,
  });

  get(category: string, name: string): CachedType | undefined {
    return this.categories.get(category)?.get(name);
  }

  set(type: CachedType): void {
    const { category, name } = type.key;
    const names = this.categories.get(category) ?? new Map<string, CachedType>();
    const replaced = names.get(name);
    this.size += (type.schema?.length ?? 0) - (replaced?.schema?.length ?? 0);
    if (replaced) this.compiled.delete(replaced);
    this.categories.set(category, names.set(name, type));
  }
}

/** The current event types in memory. EventTypesRefresher keeps them up to date. */
@Injectable()
export class EventTypes {
  private readonly logger = new Logger('EventTypes');
  private readonly applications = new Map<string, ApplicationTypes>();
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
    const types = this.applications.get(application);
    const type = types?.get(category, name);
    if (!types || type === undefined || type.schema === null) return unknownType(category, name);
    const errors = this.schemaOf(types, type, type.schema)?.explain(data);
    return errors && { refused: type.mode === 'enforce', code: 'payload_mismatch', errors };
  }

  /** Whether an event was checked since the last call. */
  takeUse(): boolean {
    const wasInUse = this.isInUse;
    this.isInUse = false;
    return wasInUse;
  }

  isRegistered(key: ApplicationTypeKey): boolean {
    return (this.find(key)?.schema ?? null) !== null;
  }

  /** Adds versions in any order, and so the versions of all types at the start. */
  update(versions: readonly EventTypeVersion[]): void {
    for (const version of versions) this.add(version);
    this.loaded = true;
  }

  /**
   * Adds a version. One that is older than the cached version of its type changes nothing.
   * @param compiled its schema, if this process has just compiled it
   */
  add(
    { application, category, name, version, schema, mode }: EventTypeVersion,
    compiled?: PayloadSchema,
  ): void {
    const types = this.applications.get(application) ?? new ApplicationTypes();
    let type = types.get(category, name);
    if (type && version < type.version) return;
    if (type?.version !== version) {
      type = { key: { application, category, name }, version, schema, mode };
      types.set(type);
      this.applications.set(application, types);
    }
    if (compiled) types.compiled.set(type, compiled);
  }

  /** The cached version of a type; 0 if there is none. */
  versionOf(key: ApplicationTypeKey): number {
    return this.find(key)?.version ?? 0;
  }

  /** Whether the schemas of an application are small enough together to be kept in memory if one of its types gets this schema. */
  hasRoomFor(key: ApplicationTypeKey, schema: string): boolean {
    const others =
      (this.applications.get(key.application)?.size ?? 0) - (this.find(key)?.schema?.length ?? 0);
    return others + schema.length <= MAX_APPLICATION_SIZE;
  }

  private find({ application, category, name }: ApplicationTypeKey): CachedType | undefined {
    return this.applications.get(application)?.get(category, name);
  }

  /**
   * Undefined when a schema that was registered can no longer be compiled, which an upgrade of a library may cause. Its
   * events are accepted rather than lost.
   * @throws SchemaPendingError
   */
  private schemaOf(
    { compiled }: ApplicationTypes,
    type: CachedType,
    text: string,
  ): PayloadSchema | undefined {
    const schema = compiled.get(type);
    if (schema || type.isBroken) return schema;
    if (!type.compiling) {
      type.compiling = this.compile(compiled, type, text).finally(() => (type.compiling = undefined));
      // A request that waits no longer does not listen to it.
      type.compiling.catch(() => undefined);
    }
    throw new SchemaPendingError(type.compiling);
  }

  private async compile(
    compiled: ApplicationTypes['compiled'],
    type: CachedType,
    text: string,
  ): Promise<void> {
    const { application, category, name } = type.key;
    try {
      compiled.set(type, await this.compiler.compile(application, JSON.parse(text)));
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
      type.isBroken = true;
      this.logger.error(
        `Version ${type.version} of (${category}, ${name}) of ${application} is not enforced: ${describe(error)}`,
      );
    }
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
