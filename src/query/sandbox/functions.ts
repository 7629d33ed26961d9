import { AGGREGATE_FUNCTIONS } from './functions/aggregate-functions.js';
import { TEXT_FUNCTIONS } from './functions/text-functions.js';
import { VALUE_FUNCTIONS } from './functions/value-functions.js';

/*
 * Permitted are functions that depend on their arguments only, beside those of the current time and of random numbers. Missing
 * are, for example, functions that read files, tables, dictionaries, settings or the names of users and hosts, that run
 * programs, sleep or parse statements, and those whose time grows with the square of a text's length.
 * test/support/refused-functions.ts lists the others.
 */

const namesOf = (lists: readonly string[]): ReadonlySet<string> =>
  new Set(lists.flatMap((list) => list.trim().split(/\s+/)).map((name) => name.toLowerCase()));

const FUNCTIONS = namesOf([...VALUE_FUNCTIONS, ...TEXT_FUNCTIONS]);
const AGGREGATES = namesOf(AGGREGATE_FUNCTIONS);

/** What can follow the name of an aggregate function, as in `sumIf` and `uniqArrayIf`. */
const COMBINATOR =
  /(?:If|Array|Map|Distinct|OrDefault|OrNull|Resample|ForEach|ArgMin|ArgMax|SimpleState|State|MergeState|Merge)$/;

/** What the syntax tree has for `x -> y`, EXISTS and the value of a placeholder. */
const SYNTAX = new Set(['lambda', 'exists', '_CAST']);

/** Whether a function may be called. Capitals and small letters are equal, as in many names of ClickHouse. */
export function isPermittedFunction(name: string): boolean {
  return FUNCTIONS.has(name.toLowerCase()) || SYNTAX.has(name) || isPermittedAggregate(name);
}

function isPermittedAggregate(name: string): boolean {
  for (let rest = name; ;) {
    if (AGGREGATES.has(rest.toLowerCase())) return true;
    const shorter = rest.replace(COMBINATOR, '');
    if (shorter === rest) return false;
    rest = shorter;
  }
}
