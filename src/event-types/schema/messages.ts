import type { ErrorObject } from 'ajv';
import type { FieldErrors } from '../../platform/http/problem.js';

/** Messages about one event, at the most. */
const MOST_MESSAGES = 20;

/** Characters of a value that a message shows. */
const LONGEST_VALUE = 40;

/** Characters of a list of allowed values. */
const LONGEST_LIST = 200;

/** What stands against a payload, by path: `{ "data.form.first_name": ["must be string, not 42"] }`. */
export function toMessages(found: readonly ErrorObject[], data: unknown): FieldErrors {
  // Without a prototype, a property called __proto__ is one like any other.
  const errors = Object.create(null) as FieldErrors;
  for (const error of found.slice(0, MOST_MESSAGES)) {
    const { path, message } = explain(error, data);
    const messages = (errors[path.join('.')] ??= []);
    if (!messages.includes(message)) messages.push(message);
  }
  return errors;
}

function explain(error: ErrorObject, data: unknown): { path: string[]; message: string } {
  const steps = stepsOf(error.instancePath);
  const path = ['data', ...steps];
  const params = error.params as Record<string, unknown>;
  if (error.propertyName !== undefined)
    return { path: [...path, error.propertyName], message: `has a name that ${said(error)}` };
  const value = valueAt(data, steps);
  switch (error.keyword) {
    case 'required':
      return { path: [...path, String(params['missingProperty'])], message: 'is required' };
    case 'dependentRequired':
      return {
        path: [...path, String(params['missingProperty'])],
        message: `is required beside ${String(params['property'])}`,
      };
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return {
        path: [...path, String(params['additionalProperty'] ?? params['unevaluatedProperty'])],
        message: 'is not a property that is known here',
      };
    case 'propertyNames':
      return { path: [...path, String(params['propertyName'])], message: 'has a name that is not allowed' };
    case 'false schema':
      return { path, message: 'is not allowed' };
    case 'type': {
      const types = params['type'];
      return {
        path,
        message: `must be ${Array.isArray(types) ? types.join(' or ') : String(types)}, not ${spell(value)}`,
      };
    }
    case 'enum': {
      const allowed = (params['allowedValues'] as unknown[]).map((each) => spell(each)).join(', ');
      return { path, message: `must be one of ${cut(allowed, LONGEST_LIST)}, not ${spell(value)}` };
    }
    case 'const':
      return { path, message: `must be ${spell(params['allowedValue'])}, not ${spell(value)}` };
    default: {
      const words = said(error);
      return { path, message: `${words}${words.includes(' NOT ') ? '; came' : ', not'} ${spell(value)}` };
    }
  }
}

/** The words of ajv. */
function said({ message, keyword }: ErrorObject): string {
  return message ?? `must pass ${keyword}`;
}

/** A value as JSON, cut where it is long. */
function spell(value: unknown): string {
  return cut(JSON.stringify(value) ?? 'nothing', LONGEST_VALUE);
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).toWellFormed()}…`;
}

function stepsOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function valueAt(value: unknown, steps: readonly string[]): unknown {
  return steps.reduce<unknown>(
    (inner, step) => (inner as Record<string, unknown> | undefined)?.[step],
    value,
  );
}
