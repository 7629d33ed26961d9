import { LARGEST_SCHEMA } from './check-schema.js';
import { hasFormat } from './formats.js';

type Schema = Record<string, unknown>;

/** Levels of objects and arrays that are described; what lies deeper may be anything. */
const DEEPEST = 10;

/**
 * Places (properties, and what arrays hold) that are described, in all. An object that brings more is used as a
 * dictionary, and stays undescribed. Each costs at most 12 of the 2,000 that a schema may cost.
 */
const MOST_PLACES = 150;

/** Strings that differ, up to which they are taken for a choice; seen at least so often. */
const MOST_CHOICES = 8;
const CHOICE_SEEN = 20;
const LONGEST_CHOICE = 100;

const GUESSED_FORMATS = ['uuid', 'date-time'] as const;

/** Places that may still be described, of the whole suggestion. */
interface Budget {
  places: number;
}

/** What is known of the values in one place. */
class Place {
  private seen = 0;
  private readonly types = new Set<string>();
  private strings = 0;
  private choices: Set<string> | undefined = new Set();
  private formats = new Set<(typeof GUESSED_FORMATS)[number]>(GUESSED_FORMATS);
  private objects = 0;
  private properties = new Map<string, Place>();
  private isDictionary = false;
  private items: Place | undefined;
  private isMixedBag = false;

  constructor(
    private readonly depth: number,
    private readonly budget: Budget,
  ) {}

  add(value: unknown): void {
    this.seen++;
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
    if (this.items && !this.isMixedBag) schema['items'] = this.items.schema();
    return schema;
  }

  private addString(value: string): void {
    this.types.add('string');
    this.strings++;
    for (const format of this.formats) if (!hasFormat(format, value)) this.formats.delete(format);
    this.choices?.add(value);
    if (value.length > LONGEST_CHOICE || (this.choices?.size ?? 0) > MOST_CHOICES) this.choices = undefined;
  }

  private addArray(values: unknown[]): void {
    this.types.add('array');
    if (values.length === 0 || this.isMixedBag) return;
    this.items ??= this.inner();
    if (this.items === undefined) this.isMixedBag = true;
    for (const value of values) this.items?.add(value);
  }

  /** A place within this one, or undefined where no more are described. */
  private inner(): Place | undefined {
    return this.depth < DEEPEST && this.budget.places-- > 0
      ? new Place(this.depth + 1, this.budget)
      : undefined;
  }

  private addObject(value: object): void {
    this.types.add('object');
    this.objects++;
    if (this.isDictionary) return;
    for (const [name, inner] of Object.entries(value)) {
      // It cannot be described: ajv leaves it out, as a defence.
      if (name === '__proto__') continue;
      let place = this.properties.get(name);
      if (place === undefined) {
        place = this.inner();
        if (place === undefined) {
          this.isDictionary = true;
          return;
        }
        this.properties.set(name, place);
      }
      place.add(inner);
    }
  }

  private describeStrings(types: string[]): Schema {
    const [format] = this.formats;
    if (format !== undefined) return { format };
    const isChoice = types.length === 1 && this.choices !== undefined && this.strings >= CHOICE_SEEN;
    return isChoice ? { enum: [...(this.choices ?? [])].sort() } : {};
  }

  private describeObjects(): Schema {
    const names = [...this.properties.keys()];
    const always = names.filter((name) => this.properties.get(name)?.seen === this.objects);
    return {
      properties: Object.fromEntries(names.map((name) => [name, this.properties.get(name)?.schema() ?? {}])),
      ...(always.length > 0 && { required: always }),
    };
  }
}

/**
 * Proposes a schema from payloads: the types that occur, the properties that are always there, few different strings
 * as an enum. Every payload that was added fits it. Other properties stay allowed: tomorrow's events may have more.
 */
export class Suggestion {
  private readonly top = new Place(0, { places: MOST_PLACES });
  examined = 0;

  add(payload: Record<string, unknown>): void {
    this.examined++;
    this.top.add(payload);
  }

  /** As much as can be said in a schema that can be registered. */
  schema(): Schema {
    const dialect = { $schema: 'https://json-schema.org/draft/2020-12/schema' };
    const schema = { ...dialect, ...this.top.schema() };
    return Buffer.byteLength(JSON.stringify(schema)) > LARGEST_SCHEMA
      ? { ...dialect, type: 'object' }
      : schema;
  }
}
