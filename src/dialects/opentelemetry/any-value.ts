import { environment } from '../../platform/config/environment.js';
import { isJsonObject } from '../../platform/json/json-object.js';

/** The decimal text of an integer, as OTLP/JSON has 64 bits of it. */
const INTEGER = /^-?\d{1,19}$/;

/** Nesting that no event may have. What lies deeper stays as it is, since its item is refused. */
const MAX_DEPTH = environment.DEPTH_LIMIT;

/**
 * The value that an AnyValue of OTLP/JSON holds: lists as arrays, maps as objects, bytes as their Base64, integers as numbers
 * where these are exact and as texts otherwise. What is no AnyValue stays as it came.
 */
export function plainValue(value: unknown, depth = 0): unknown {
  if (!isJsonObject(value) || depth > MAX_DEPTH) return value;
  const [kind, ...others] = Object.keys(value);
  if (kind === undefined) return null;
  if (others.length > 0) return value;
  const held = value[kind];
  switch (kind) {
    case 'stringValue':
    case 'boolValue':
    case 'doubleValue':
    case 'bytesValue':
      return held;
    case 'intValue':
      return plainInteger(held);
    case 'arrayValue': {
      const values = valuesOf(held);
      return values ? values.map((each) => plainValue(each, depth + 1)) : value;
    }
    case 'kvlistValue': {
      const values = valuesOf(held);
      return values ? plainAttributes(values, depth + 1) : value;
    }
    default:
      return value;
  }
}

/**
 * Attributes as an object. A key that stands several times, which OpenTelemetry forbids, has all of its values in an array.
 * A list of anything else than attributes stays as it came.
 */
export function plainAttributes(list: unknown, depth = 0): unknown {
  if (!Array.isArray(list)) return list;
  const values = new Map<string, unknown[]>();
  for (const attribute of list as unknown[]) {
    if (!isJsonObject(attribute)) return list;
    // The key of the empty name has the default value of its field, which Protobuf leaves out.
    const { key = '', value = null, ...others } = attribute;
    if (typeof key !== 'string' || Object.keys(others).length > 0) return list;
    const known = values.get(key);
    if (known) known.push(plainValue(value, depth));
    else values.set(key, [plainValue(value, depth)]);
  }
  // Also for a key like __proto__, which an assignment would lose.
  return Object.fromEntries([...values].map(([key, each]) => [key, each.length === 1 ? each[0] : each]));
}

/** The value of the first attribute with a key. @returns undefined without one */
export function attributeOf(holder: Readonly<Record<string, unknown>>, key: string): unknown {
  if (!Array.isArray(holder.attributes)) return undefined;
  const found: unknown = holder.attributes.find((each) => isJsonObject(each) && each.key === key);
  return isJsonObject(found) ? (plainValue(found.value) ?? undefined) : undefined;
}

/** @returns undefined for what is no list; a list without elements has no member in OTLP */
const valuesOf = (held: unknown): unknown[] | undefined => {
  if (!isJsonObject(held)) return undefined;
  const { values = [], ...others } = held;
  return Array.isArray(values) && Object.keys(others).length === 0 ? (values as unknown[]) : undefined;
};

function plainInteger(held: unknown): unknown {
  // JavaScript's exporter writes any integer as a number.
  if (typeof held === 'number' && Number.isInteger(held) && !Number.isSafeInteger(held))
    return BigInt(held).toString();
  if (typeof held !== 'string' || !INTEGER.test(held)) return held;
  const number = Number(held);
  return Number.isSafeInteger(number) && String(number) === held ? number : held;
}
