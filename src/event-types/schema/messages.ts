import type { ErrorObject } from 'ajv';
import type { FieldErrors } from '../../platform/errors/domain-error.js';

/** Messages about one event or schema. */
export const MAX_MESSAGES = 20;

/** Characters of a value in a message. */
const MAX_VALUE_CHARACTERS = 40;

/** Characters of a list of allowed values in a message. */
const MAX_LIST_CHARACTERS = 200;

/** The violations of a payload, by path: `{ "data.form.first_name": ["must be string, not 42"] }`. */
export function toMessages(violations: readonly ErrorObject[], data: unknown): FieldErrors {
  // Without a prototype, since a payload may have a property called __proto__.
  const errors = Object.create(null) as FieldErrors;
  for (const error of violations.slice(0, MAX_MESSAGES)) {
    const { path, message } = explain(error, data);
    const messages = (errors[path.join('.')] ??= []);
    if (!messages.includes(message)) messages.push(message);
  }
  return errors;
}

function explain(error: ErrorObject, data: unknown): { path: string[]; message: string } {
  const segments = segmentsOf(error.instancePath);
  const path = ['data', ...segments];
  const params = error.params as Record<string, unknown>;
  if (error.propertyName !== undefined)
    return { path: [...path, error.propertyName], message: `has a name that ${ajvMessage(error)}` };
  const value = valueAt(data, segments);
  switch (error.keyword) {
    case 'required':
      return { path: [...path, String(params['missingProperty'])], message: 'is required' };
    case 'dependentRequired':
      return {
        path: [...path, String(params['missingProperty'])],
        message: `is required together with ${String(params['property'])}`,
      };
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return {
        path: [...path, String(params['additionalProperty'] ?? params['unevaluatedProperty'])],
        message: 'is not an allowed property',
      };
    case 'propertyNames':
      return { path: [...path, String(params['propertyName'])], message: 'has a name that is not allowed' };
    case 'false schema':
      return { path, message: 'is not allowed' };
    case 'type': {
      const types = params['type'];
      return {
        path,
        message: `must be ${Array.isArray(types) ? types.join(' or ') : String(types)}, not ${format(value)}`,
      };
    }
    case 'enum': {
      const allowed = (params['allowedValues'] as unknown[])
        .slice(0, MAX_LIST_CHARACTERS)
        .map((each) => format(each))
        .join(', ');
      return {
        path,
        message: `must be one of ${truncate(allowed, MAX_LIST_CHARACTERS)}, not ${format(value)}`,
      };
    }
    case 'const':
      return { path, message: `must be ${format(params['allowedValue'])}, not ${format(value)}` };
    default: {
      const message = ajvMessage(error);
      return { path, message: `${message}${message.includes(' NOT ') ? '; got' : ', not'} ${format(value)}` };
    }
  }
}

function ajvMessage({ message, keyword }: ErrorObject): string {
  return message ?? `must pass ${keyword}`;
}

/** A value as JSON, truncated if it is long. */
function format(value: unknown): string {
  return truncate(JSON.stringify(value) ?? 'nothing', MAX_VALUE_CHARACTERS);
}

function truncate(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).toWellFormed()}…`;
}

/** The decoded segments of a JSON pointer (RFC 6901). */
export function segmentsOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function valueAt(value: unknown, segments: readonly string[]): unknown {
  return segments.reduce<unknown>(
    (inner, segment) => (inner as Record<string, unknown> | undefined)?.[segment],
    value,
  );
}
