import { hasFormat } from './formats.js';
import { MAX_SCHEMA_BYTES } from './schema-safety.js';

type Schema = Record<string, unknown>;

/** Levels of objects and arrays that are described; deeper values may be anything. */
const MAX_DEPTH = 10;

/**
 * Subschemas (of properties and of array items) of a suggestion. The properties of an object with more are keys of a
 * dictionary and are not described. Each subschema costs at most 12 of the 2,000 that a schema may cost.
 */
const MAX_SUBSCHEMAS = 150;

/** Distinct strings that become an enum, when there are at least MIN_ENUM_SAMPLES strings. */
const MAX_ENUM_VALUES = 8;
const MIN_ENUM_SAMPLES = 20;
const MAX_ENUM_CHARACTERS = 100;

const DETECTED_FORMATS = ['uuid', 'date-time'] as const;

/** Subschemas that the suggestion may still have. */
interface Budget {
  subschemas: number;
}

/** What the values at one path have in common. */
class ValueSummary {
  private count = 0;
  private readonly types = new Set<string>();
  private strings = 0;
  /** Undefined when there are too many for an enum. */
  private distinctStrings: Set<string> | undefined = new Set();
  private formats = new Set<(typeof DETECTED_FORMATS)[number]>(DETECTED_FORMATS);
  private objects = 0;
  private properties = new Map<string, ValueSummary>();
  private isDictionary = false;
  private items: ValueSummary | undefined;
  private hasUndescribedItems = false;

  constructor(
    private readonly depth: number,
    private readonly budget: Budget,
  ) {}

  add(value: unknown): void {
    this.count++;
    if (value === null) this.types.add('null');
    else if (Array.isArray(value)) this.addArray(value);
    else if (typeof value === 'object') this.addObject(value);
    else if (typeof value === 'string') this.addString(value);
    else if (typeof value === 'number') this.types.add(Number.isInteger(value) ? 'integer' : 'number');
    else this.types.add(typeof value);
  }

  schema(): Schema {
    const types = [...this.types].filter((type) => type !== 'integer' || !this.types.has('number')).sort();
    if (types.length === 0) return {};
    const schema: Schema = { type: types.length === 1 ? types[0] : types };
    if (this.strings > 0) Object.assign(schema, this.describeStrings(types));
    if (this.objects > 0 && !this.isDictionary) Object.assign(schema, this.describeObjects());
    if (this.items && !this.hasUndescribedItems) schema['items'] = this.items.schema();
    return schema;
  }

  private addString(value: string): void {
    this.types.add('string');
    this.strings++;
    for (const format of this.formats) if (!hasFormat(format, value)) this.formats.delete(format);
    this.distinctStrings?.add(value);
    if (value.length > MAX_ENUM_CHARACTERS || (this.distinctStrings?.size ?? 0) > MAX_ENUM_VALUES)
      this.distinctStrings = undefined;
  }

  private addArray(values: unknown[]): void {
    this.types.add('array');
    if (values.length === 0 || this.hasUndescribedItems) return;
    this.items ??= this.child();
    if (this.items === undefined) this.hasUndescribedItems = true;
    for (const value of values) this.items?.add(value);
  }

  /** @returns undefined when the limits are reached */
  private child(): ValueSummary | undefined {
    return this.depth < MAX_DEPTH && this.budget.subschemas-- > 0
      ? new ValueSummary(this.depth + 1, this.budget)
      : undefined;
  }

  private addObject(value: object): void {
    this.types.add('object');
    this.objects++;
    if (this.isDictionary) return;
    for (const [name, inner] of Object.entries(value)) {
      // It cannot be described: ajv ignores this name as a defence.
      if (name === '__proto__') continue;
      let property = this.properties.get(name);
      if (property === undefined) {
        property = this.child();
        if (property === undefined) {
          this.isDictionary = true;
          return;
        }
        this.properties.set(name, property);
      }
      property.add(inner);
    }
  }

  private describeStrings(types: string[]): Schema {
    const [format] = this.formats;
    if (format !== undefined) return { format };
    const isEnum =
      types.length === 1 && this.distinctStrings !== undefined && this.strings >= MIN_ENUM_SAMPLES;
    return isEnum ? { enum: [...(this.distinctStrings ?? [])].sort() } : {};
  }

  private describeObjects(): Schema {
    const names = [...this.properties.keys()];
    const required = names.filter((name) => this.properties.get(name)?.count === this.objects);
    return {
      properties: Object.fromEntries(names.map((name) => [name, this.properties.get(name)?.schema() ?? {}])),
      ...(required.length > 0 && { required }),
    };
  }
}

/**
 * Suggests a schema that every added payload matches: the types that occur, the properties that are always present, and
 * an enum for few distinct strings. It allows further properties, since future events may have them.
 */
export class Suggestion {
  private readonly root = new ValueSummary(0, { subschemas: MAX_SUBSCHEMAS });
  examined = 0;

  add(payload: Record<string, unknown>): void {
    this.examined++;
    this.root.add(payload);
  }

  /** A schema that can be registered; it describes only the type if it would be too large. */
  schema(): Schema {
    const dialect = { $schema: 'https://json-schema.org/draft/2020-12/schema' };
    const schema = { ...dialect, ...this.root.schema() };
    return Buffer.byteLength(JSON.stringify(schema)) > MAX_SCHEMA_BYTES
      ? { ...dialect, type: 'object' }
      : schema;
  }
}
