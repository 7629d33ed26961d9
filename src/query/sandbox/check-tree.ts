import { isPermittedFunction } from './functions.js';
import { notPermitted } from './not-permitted.js';
import type { Node } from './syntax-tree.js';

const TABLES_HINT = 'there is `events`, and what WITH defines';
const TABLE_FUNCTIONS_HINT = 'there is `events`, and what WITH defines; arrayJoin(range(10)) makes rows';

/** Kinds of nodes that name nothing outside of the statement, beside those that are checked one by one. */
const PLAIN_NODES = new Set([
  'ArrayJoin',
  'Asterisk',
  'ColumnsExceptTransformer',
  'ColumnsListMatcher',
  'ColumnsRegexpMatcher',
  'ColumnsReplaceTransformer',
  'ColumnsReplaceTransformer::Replacement',
  'ColumnsTransformerList',
  'ExpressionList',
  'FillModifier',
  'Identifier',
  'InterpolateElement',
  'Literal',
  'OrderByElement',
  'QualifiedAsterisk',
  'QualifiedColumnsListMatcher',
  'QualifiedColumnsRegexpMatcher',
  'QueryParameter',
  'SelectIntersectExceptQuery',
  'SelectQuery',
  'SelectWithUnionQuery',
  'Subquery',
  'TableJoin',
  'TablesInSelectQuery',
  'TablesInSelectQueryElement',
  'WindowDefinition',
  'WindowListElement',
  'WithElement',
]);

/** What follows FROM and JOIN. */
const SOURCES = new Set(['TableIdentifier', 'Subquery']);

/** `x IN y` reads a table if y is a name. */
const IN_FUNCTIONS = new Set(['in', 'notIn', 'nullIn', 'notNullIn']);

/** Functions with the name of a type, by where it stands: the second or the last argument. */
const TYPE_ARGUMENTS: ReadonlyMap<string, 1 | -1> = new Map([
  ['CAST', 1],
  ['_CAST', 1],
  ['accurateCast', 1],
  ['accurateCastOrDefault', 1],
  ['accurateCastOrNull', 1],
  ['JSONExtract', -1],
  ['JSONExtractCaseInsensitive', -1],
  ['reinterpret', 1],
]);

/**
 * Functions that look for a pattern again and again, in small letters, and where the pattern stands. With alternatives, optional
 * parts or groups this may take the square of the length of one text, in which ClickHouse cannot be interrupted.
 */
const PATTERN_ARGUMENTS: ReadonlyMap<string, number> = new Map([
  ['countmatches', 1],
  ['countmatchescaseinsensitive', 1],
  ['extractall', 1],
  ['regexp_replace', 1],
  ['replaceregexpall', 1],
  ['splitbyregexp', 0],
]);

const PLAIN_PATTERN = /^[^|?*{()]*$/;

/** Functions that compare each element of one list with each of the other. */
const LIST_COMPARISONS = new Set(['hasAll', 'hasAny', 'hasSubstr']);

/**
 * Functions in the definition of `events`, in small letters. ClickHouse looks names up where `events` is used, so a lambda that
 * is called `equals` would take the place of the comparison with the application.
 */
const RESERVED = new Set(['equals', 'least', 'greatest', 'fromunixtimestamp64micro', 'negate', '_cast']);

const ALIAS = / \(alias (.*)\)$/s;

/** @throws NotPermittedError */
export function checkTree(node: Node, callee?: Node): void {
  checkNode(node);
  for (const child of node.children) {
    if (isLambda(child)) checkLambda(child, callee);
    checkTree(child, node.kind === 'Function' ? node : undefined);
  }
}

const isLambda = ({ kind, detail }: Node): boolean =>
  kind === 'Function' && withoutAlias(detail) === 'lambda';

/** @param callee the function whose argument it is, if it is one */
function checkLambda(lambda: Node, callee: Node | undefined): void {
  if (!callee || ALIAS.test(lambda.detail))
    throw notPermitted(
      'A lambda with a name, or outside of a call',
      'write it as an argument: arrayMap(x -> x + 1, list)',
    );
  checkNames(lambda.children[0]?.children[0]);
}

/** The parameters of a lambda. */
function checkNames(parameters: Node | undefined): void {
  if (parameters?.kind === 'Identifier') checkName(parameters.detail);
  parameters?.children.forEach(checkNames);
}

function checkName(name: string): void {
  if (RESERVED.has(name.toLowerCase()))
    throw notPermitted(`The name \`${name}\``, 'it is that of a function');
}

function checkNode(node: Node): void {
  const { kind, detail, children } = node;
  const alias = ALIAS.exec(detail)?.[1];
  if (alias !== undefined) checkName(alias);
  switch (kind) {
    case 'Function':
      return checkFunction(node);
    case 'TableIdentifier':
      // A dot separates a database from a table.
      if (!/^\w+$/.test(withoutAlias(detail))) throw notPermitted(`The table \`${detail}\``, TABLES_HINT);
      return;
    case 'TableExpression':
      for (const { kind: source, detail: name } of children)
        if (!SOURCES.has(source))
          throw source === 'Function'
            ? notPermitted(`The table function \`${name}\``, TABLE_FUNCTIONS_HINT)
            : notPermitted(`\`${source}\` behind FROM`);
      return;
    case 'Set':
      throw notPermitted('A clause SETTINGS');
    default:
      if (!PLAIN_NODES.has(kind)) throw notPermitted(`\`${kind}\``);
  }
}

function checkFunction({ detail, children }: Node): void {
  const name = withoutAlias(detail);
  if (!isPermittedFunction(name)) throw notPermitted(`The function \`${name}\``);
  const values = children[0]?.children ?? [];
  if (IN_FUNCTIONS.has(name) && values[1]?.kind === 'Identifier')
    throw notPermitted(
      `\`${values[1].detail}\` behind IN`,
      'a list, a subquery or a placeholder stands there',
    );
  if (name === 'exists' && values[0]?.kind !== 'Subquery') throw notPermitted('EXISTS without a subquery');
  const typeAt = TYPE_ARGUMENTS.get(name);
  if (typeAt !== undefined) checkTypeName(name, values.at(typeAt));
  const patternAt = PATTERN_ARGUMENTS.get(name.toLowerCase());
  if (patternAt !== undefined) checkPattern(name, values[patternAt]);
  if (LIST_COMPARISONS.has(name) && !values.some((list) => isWritten(list) || list.detail === 'array'))
    throw notPermitted(`\`${name}\` of two lists that are computed`, 'write one of them: [1, 2]');
}

function checkPattern(name: string, pattern: Node | undefined): void {
  if (!pattern || !isWritten(pattern) || !PLAIN_PATTERN.test(withoutAlias(pattern.detail)))
    throw notPermitted(`This pattern in \`${name}\``, 'it is a text without | ? * { ( and )');
}

const isWritten = ({ kind }: Node): boolean => kind === 'Literal';

/** States of aggregate functions are not read from texts: ClickHouse does not expect them from strangers. */
function checkTypeName(name: string, type: Node | undefined): void {
  if (type?.kind !== 'Literal') throw notPermitted(`A computed type in \`${name}\``);
  if (/AggregateFunction/i.test(type.detail)) throw notPermitted(`The type ${type.detail}`);
}

const withoutAlias = (detail: string): string => detail.replace(ALIAS, '');
