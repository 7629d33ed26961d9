import type { FieldErrors } from '../../platform/http/problem.js';
import { isJsonObject } from '../../platform/json/json-object.js';
import { FORMATS } from './formats.js';
import { compilePattern, PatternError } from './patterns.js';

/** Bytes of a schema as compact JSON. */
export const LARGEST_SCHEMA = 64 * 1024;

/** Levels of schemas within schemas. */
const DEEPEST = 50;

/**
 * What a schema may cost each value that it is held against, with its references put in: a keyword costs 1, a value of
 * an enum 1, and `uniqueItems` as many as there are items to compare with.
 */
const DEAREST = 2000;

/** What an instruction of a pattern costs: it runs on every character of a text. */
const INSTRUCTION = 4;

/** Items that `uniqueItems` may compare, each with each. */
const MOST_UNIQUE = 1000;

/** Places that are named. */
const MOST_ERRORS = 20;

const DIALECT = /^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/;

type Kind = 'schema' | 'schemas' | 'map' | 'annotation' | 'value' | 'root';

/**
 * The keywords of draft 2020-12, by what stands in them. What is not among them is refused by name, so that a slip of
 * the pen does not pass as a schema that allows everything.
 */
const KEYWORDS: Record<string, Kind> = Object.assign(Object.create(null) as Record<string, Kind>, {
  ...kinds('root', '$schema', '$id'),
  ...kinds('map', '$defs', 'properties', 'patternProperties', 'dependentSchemas'),
  ...kinds('schemas', 'allOf', 'anyOf', 'oneOf', 'prefixItems'),
  ...kinds('schema', 'additionalProperties', 'unevaluatedProperties', 'propertyNames', 'items'),
  ...kinds('schema', 'unevaluatedItems', 'contains', 'not', 'if', 'then', 'else'),
  ...kinds('value', '$ref', '$dynamicRef', '$anchor', '$dynamicAnchor', 'type', 'enum', 'const'),
  ...kinds('value', 'multipleOf', 'maximum', 'exclusiveMaximum', 'minimum', 'exclusiveMinimum'),
  ...kinds('value', 'maxLength', 'minLength', 'pattern', 'format', 'maxItems', 'minItems', 'uniqueItems'),
  ...kinds('value', 'maxContains', 'minContains', 'maxProperties', 'minProperties', 'required'),
  ...kinds('value', 'dependentRequired'),
  ...kinds('annotation', 'title', 'description', 'default', 'deprecated', 'readOnly', 'writeOnly'),
  ...kinds('annotation', 'examples', '$comment', 'contentEncoding', 'contentMediaType'),
});

function kinds(kind: Kind, ...names: string[]): Record<string, Kind> {
  return Object.fromEntries(names.map((name) => [name, kind]));
}

type Schema = Record<string, unknown>;
type Path = readonly (string | number)[];

/** A schema within the schema, and those that are asked together with it. */
interface Node {
  readonly path: Path;
  readonly own: number;
  readonly children: Schema[];
  readonly references: { keyword: string; target: string }[];
}

/**
 * Everything about a schema that would make it unsafe to run on every event, whoever wrote it: by path, e.g.
 * `schema.properties.url.pattern`. Whether it is a schema at all is for its meta-schema to say.
 */
export function unsafetyOf(schema: unknown): FieldErrors {
  const survey = new Survey();
  if (isJsonObject(schema)) survey.visit(schema, ['schema'], 1);
  if (Object.keys(survey.errors).length === 0 && isJsonObject(schema)) survey.weigh(schema);
  return survey.errors;
}

class Survey {
  readonly errors = Object.create(null) as FieldErrors;
  private readonly nodes = new Map<Schema, Node>();
  /** Every schema by the fragments that lead to it. */
  private readonly targets = new Map<string, Schema>();
  private readonly costs = new Map<Schema, number>();
  private readonly underWay = new Set<Schema>();

  visit(schema: Schema, path: Path, depth: number): void {
    if (depth > DEEPEST) return this.report(path, `Nested more than ${DEEPEST} schemas deep.`);
    let own = 0;
    const children: Schema[] = [];
    const references: Node['references'] = [];
    const descend = (value: unknown, step: Path, counts = true): void => {
      if (!isJsonObject(value)) return;
      if (counts) children.push(value);
      this.visit(value, [...path, ...step], depth + 1);
    };
    this.targets.set(pointer(path.slice(1)), schema);
    for (const [keyword, value] of Object.entries(schema)) {
      const kind = KEYWORDS[keyword];
      const place = [...path, keyword];
      if (kind === undefined) this.report(place, 'Unknown keyword; draft 2020-12 has none of this name.');
      else if (kind === 'root') this.checkRoot(keyword, value, path, place);
      else if (kind === 'schema') descend(value, [keyword]);
      else if (kind === 'schemas' && Array.isArray(value))
        for (const [index, item] of value.entries()) descend(item, [keyword, index]);
      else if (kind === 'map' && isJsonObject(value))
        for (const [name, item] of Object.entries(value)) {
          if (name === '__proto__') this.report([...place, name], 'This name cannot be described.');
          if (keyword === 'patternProperties') own += this.weighPattern(name, [...place, name]);
          if (keyword !== '$defs') own++;
          descend(item, [keyword, name], keyword !== '$defs');
        }
      else if (kind === 'value') own += this.weighValue(schema, keyword, value, place);
      if ((keyword === '$ref' || keyword === '$dynamicRef') && typeof value === 'string')
        references.push({ keyword, target: value });
      if ((keyword === '$anchor' || keyword === '$dynamicAnchor') && typeof value === 'string')
        this.setAnchor(`#${value}`, schema, place);
      if (kind !== 'annotation') own++;
    }
    this.nodes.set(schema, { path, own, children, references });
  }

  /** Follows the references, from every schema, so that those that nobody uses are sound, too. */
  weigh(root: Schema): void {
    for (const schema of this.nodes.keys()) this.cost(schema);
    const cost = this.costs.get(root) ?? 0;
    if (cost > DEAREST)
      this.report(
        ['schema'],
        `Asks too much of each event: ${cost.toLocaleString('en')} keywords, values of enums and instructions of ` +
          `patterns (${INSTRUCTION} each) when its references are followed, of which ` +
          `${DEAREST.toLocaleString('en')} are allowed.`,
      );
  }

  private cost(schema: Schema): number {
    const known = this.costs.get(schema);
    const node = this.nodes.get(schema);
    if (known !== undefined || node === undefined) return known ?? 0;
    this.underWay.add(schema);
    let cost = node.own;
    for (const child of node.children) cost += this.cost(child);
    for (const { keyword, target } of node.references) {
      const place = [...node.path, keyword];
      const referenced = target.startsWith('#') ? this.targets.get(unescaped(target)) : undefined;
      if (!target.startsWith('#'))
        this.report(place, 'Must lead to a part of this schema (#…): nothing is fetched from elsewhere.');
      else if (referenced === undefined) this.report(place, 'Leads to no schema in here.');
      else if (this.underWay.has(referenced))
        this.report(place, 'Leads round in a circle; how deep data go must be known.');
      else cost += this.cost(referenced);
    }
    this.underWay.delete(schema);
    this.costs.set(schema, cost);
    return cost;
  }

  private setAnchor(fragment: string, schema: Schema, place: Path): void {
    if (this.targets.has(fragment)) this.report(place, 'Stands twice in this schema.');
    this.targets.set(fragment, schema);
  }

  private checkRoot(keyword: string, value: unknown, path: Path, place: Path): void {
    if (path.length > 1) this.report(place, `${keyword} may stand at the top only.`);
    else if (keyword === '$schema' && !(typeof value === 'string' && DIALECT.test(value)))
      this.report(place, 'Must be https://json-schema.org/draft/2020-12/schema, or be left out.');
  }

  /** What the value of a keyword adds to its cost. */
  private weighValue(schema: Schema, keyword: string, value: unknown, place: Path): number {
    if (keyword === 'pattern' && typeof value === 'string') return this.weighPattern(value, place);
    if ((keyword === 'enum' || keyword === 'required') && Array.isArray(value)) return value.length;
    if (keyword === 'dependentRequired' && isJsonObject(value)) return Object.values(value).flat().length;
    if (keyword === 'format' && typeof value === 'string' && !FORMATS.includes(value))
      this.report(place, `Must be one of ${FORMATS.join(', ')}.`);
    if (keyword === 'uniqueItems' && value === true) {
      const { maxItems } = schema;
      if (typeof maxItems === 'number' && maxItems <= MOST_UNIQUE) return maxItems;
      this.report(place, `Needs a maxItems of at most ${MOST_UNIQUE} beside it.`);
    }
    return 0;
  }

  private weighPattern(source: string, place: Path): number {
    try {
      return compilePattern(source).size * INSTRUCTION;
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      this.report(place, error.message);
      return 0;
    }
  }

  private report(place: Path, message: string): void {
    if (Object.keys(this.errors).length >= MOST_ERRORS) return;
    (this.errors[place.join('.')] ??= []).push(message);
  }
}

/** The fragment that leads to a place (RFC 6901). */
function pointer(path: Path): string {
  return `#${path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')}`;
}

function unescaped(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}
