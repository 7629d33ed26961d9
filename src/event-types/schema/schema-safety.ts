import type { FieldErrors } from '../../platform/errors/domain-error.js';
import { isJsonObject } from '../../platform/json/json-object.js';
import { FORMATS } from './formats.js';
import { compilePattern, PatternError } from './patterns.js';

/** Bytes of a schema as compact JSON. */
export const MAX_SCHEMA_BYTES = 64 * 1024;

/** Levels of schemas within schemas. */
const MAX_DEPTH = 50;

/**
 * The cost of a schema, with references resolved: 1 for a keyword or a property. It bounds the time to compile the schema,
 * and the steps to check a value without its items or properties.
 */
const MAX_COST = 2000;

/** Instructions of all patterns, which take time to compile. */
const MAX_INSTRUCTIONS = 2000;

/** Paths with an error. */
const MAX_ERRORS = 20;

const DIALECT = /^https:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/;

/** The keywords of draft 2020-12, by what their values contain. `map` and `list` contain schemas. */
const KEYWORDS = {
  root: ['$schema', '$id'],
  map: ['$defs', 'properties', 'patternProperties', 'dependentSchemas'],
  list: ['allOf', 'anyOf', 'oneOf', 'prefixItems'],
  schema: [
    ...['additionalProperties', 'unevaluatedProperties', 'propertyNames', 'items', 'unevaluatedItems'],
    ...['contains', 'not', 'if', 'then', 'else'],
  ],
  value: [
    ...['$ref', '$dynamicRef', '$anchor', '$dynamicAnchor', 'type', 'enum', 'const', 'multipleOf'],
    ...['maximum', 'exclusiveMaximum', 'minimum', 'exclusiveMinimum', 'maxLength', 'minLength'],
    ...['pattern', 'format', 'maxItems', 'minItems', 'uniqueItems', 'maxContains', 'minContains'],
    ...['maxProperties', 'minProperties', 'required', 'dependentRequired'],
  ],
  annotation: [
    ...['title', 'description', 'default', 'deprecated', 'readOnly', 'writeOnly', 'examples'],
    ...['$comment', 'contentEncoding', 'contentMediaType'],
  ],
};
type Kind = keyof typeof KEYWORDS;

const KINDS: ReadonlyMap<string, Kind> = new Map(
  Object.entries(KEYWORDS).flatMap(([kind, keywords]) =>
    keywords.map((keyword) => [keyword, kind as Kind] as const),
  ),
);

type Schema = Record<string, unknown>;
type Path = readonly (string | number)[];

/**
 * Finds everything that would make a schema unsafe to run on every event: high cost, references to other documents,
 * keywords that would be ignored. It does not check whether the values of keywords are valid, which the meta-schema does.
 */
export function inspectSchema(schema: Schema): SchemaInspection {
  const check = new SafetyCheck();
  check.collectNodes(schema, ['schema'], 1);
  if (Object.keys(check.errors).length === 0) check.checkCost(schema);
  return check;
}

export interface SchemaInspection {
  /** Messages by path, e.g. `schema.properties.url.pattern`. */
  readonly errors: FieldErrors;
  /** The costs of the schema and of each schema in it, by identity. */
  readonly costs: ReadonlyMap<object, number>;
  /** The sources of all patterns. */
  readonly patterns: ReadonlySet<string>;
}

/** A schema and the schemas in it, in two passes: the second needs every target of a reference. */
class SafetyCheck implements SchemaInspection {
  readonly errors = Object.create(null) as FieldErrors;
  private readonly nodes = new Map<Schema, { path: Path; ownCost: number }>();
  /** Every schema by the fragments that refer to it. */
  private readonly targets = new Map<string, Schema>();
  readonly costs = new Map<Schema, number>();
  readonly patterns = new Set<string>();
  private instructions = 0;
  private readonly visiting = new Set<Schema>();

  /** First pass: checks each keyword by itself. */
  collectNodes(schema: Schema, path: Path, depth: number): void {
    if (depth > MAX_DEPTH) return this.report(path, `Nested more than ${MAX_DEPTH} schemas deep.`);
    this.targets.set(toFragment(path.slice(1)), schema);
    let ownCost = 0;
    for (const keyword of Object.keys(schema)) ownCost += this.checkKeyword(schema, keyword, path);
    this.nodes.set(schema, { path, ownCost });
    for (const { steps, subschema } of subschemasOf(schema))
      this.collectNodes(subschema, [...path, ...steps], depth + 1);
  }

  /** Second pass: follows references, from unused schemas as well. */
  checkCost(root: Schema): void {
    for (const schema of this.nodes.keys()) this.costOf(schema);
    const cost = this.costOf(root);
    if (cost > MAX_COST)
      this.report(
        ['schema'],
        `Costs too much to check: ${cost.toLocaleString('en')} keywords and properties with references ` +
          `resolved, of which ${MAX_COST.toLocaleString('en')} are allowed.`,
      );
    if (this.instructions > MAX_INSTRUCTIONS)
      this.report(
        ['schema'],
        `Its patterns are too large: ${this.instructions.toLocaleString('en')} instructions of RE2 together, of which ` +
          `${MAX_INSTRUCTIONS.toLocaleString('en')} are allowed.`,
      );
  }

  private costOf(schema: Schema): number {
    const known = this.costs.get(schema);
    if (known !== undefined) return known;
    const { path = [], ownCost = 0 } = this.nodes.get(schema) ?? {};
    this.visiting.add(schema);
    let cost = ownCost;
    for (const { steps, subschema } of subschemasOf(schema))
      if (steps[0] !== '$defs') cost += this.costOf(subschema);
    for (const keyword of ['$ref', '$dynamicRef']) {
      const target = this.resolve(schema[keyword], [...path, keyword]);
      if (target) cost += this.costOf(target);
    }
    this.visiting.delete(schema);
    this.costs.set(schema, cost);
    return cost;
  }

  private resolve(reference: unknown, path: Path): Schema | undefined {
    if (typeof reference !== 'string') return undefined;
    if (!reference.startsWith('#')) {
      this.report(path, 'Must refer to a part of this schema (#…): nothing is fetched from elsewhere.');
      return undefined;
    }
    const target = this.targets.get(percentDecoded(reference));
    if (target === undefined) this.report(path, 'Refers to no schema in this document.');
    else if (this.visiting.has(target)) this.report(path, 'Is recursive; the depth of data must be bounded.');
    else return target;
    return undefined;
  }

  /** @returns the cost of the keyword without that of the schemas in it */
  private checkKeyword(schema: Schema, keyword: string, parent: Path): number {
    const kind = KINDS.get(keyword);
    const value = schema[keyword];
    const path = [...parent, keyword];
    if (kind === undefined) this.report(path, 'Unknown keyword: draft 2020-12 does not define it.');
    if (kind === undefined || kind === 'annotation') return 0;
    if (kind === 'root' && parent.length > 1) this.report(path, 'Is allowed only at the top of the schema.');
    else if (keyword === '$schema' && !(typeof value === 'string' && DIALECT.test(value)))
      this.report(path, 'Must be https://json-schema.org/draft/2020-12/schema or absent.');
    // For properties, ajv ignores this name as a defence.
    if (kind === 'map' && isJsonObject(value) && Object.hasOwn(value, '__proto__'))
      this.report([...path, '__proto__'], 'A property of this name cannot be described.');
    return 1 + this.costOfValue(schema, keyword, path);
  }

  private costOfValue(schema: Schema, keyword: string, path: Path): number {
    const value = schema[keyword];
    if (typeof value === 'string') {
      if (keyword === 'pattern') this.checkPattern(value, path);
      if (keyword === '$anchor' || keyword === '$dynamicAnchor') this.addAnchor(`#${value}`, schema, path);
      if (keyword === 'format' && !FORMATS.includes(value))
        this.report(path, `Must be one of ${FORMATS.join(', ')}.`);
    } else if (Array.isArray(value)) {
      if (keyword === 'required') return value.length;
    } else if (isJsonObject(value)) {
      const names = Object.keys(value);
      if (keyword === 'dependentRequired') return Object.values(value).flat().length;
      if (keyword === 'properties' || keyword === 'dependentSchemas') return names.length;
      if (keyword === 'patternProperties') {
        for (const name of names) this.checkPattern(name, [...path, name]);
        return names.length;
      }
    }
    return 0;
  }

  private checkPattern(source: string, path: Path): void {
    try {
      this.instructions += compilePattern(source).size;
      this.patterns.add(source);
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      this.report(path, error.message);
    }
  }

  private addAnchor(fragment: string, schema: Schema, path: Path): void {
    if (this.targets.has(fragment)) this.report(path, 'Occurs twice in this schema.');
    // ajv would find the member of Object.prototype.
    if (fragment.slice(1) in Object.prototype) this.report(path, 'An anchor of this name cannot be used.');
    this.targets.set(fragment, schema);
  }

  private report(path: Path, message: string): void {
    if (Object.keys(this.errors).length >= MAX_ERRORS) return;
    (this.errors[path.join('.')] ??= []).push(message);
  }
}

/** The schemas in a schema that are objects; `true` and `false` cost nothing. */
function* subschemasOf(schema: Schema): Generator<{ steps: Path; subschema: Schema }> {
  for (const [keyword, value] of Object.entries(schema)) {
    const kind = KINDS.get(keyword);
    if (kind === 'schema' && isJsonObject(value)) yield { steps: [keyword], subschema: value };
    const isContainer = (kind === 'list' && Array.isArray(value)) || (kind === 'map' && isJsonObject(value));
    if (!isContainer) continue;
    for (const [key, item] of Object.entries(value as object) as [string, unknown][])
      if (isJsonObject(item)) yield { steps: [keyword, key], subschema: item };
  }
}

/** A JSON pointer as a URI fragment (RFC 6901), without its percent-encoding. */
function toFragment(path: Path): string {
  return `#${path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')}`;
}

function percentDecoded(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}
