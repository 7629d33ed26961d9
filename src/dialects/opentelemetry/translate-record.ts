import { isJsonObject } from '../../platform/json/json-object.js';
import { timestampAtMicroseconds } from '../../platform/time/timestamp.js';
import type { Translation } from '../dialect.js';
import { cut, idOf, sessionId, stringOf } from '../values.js';
import { attributeOf, plainAttributes, plainValue } from './any-value.js';
import { MAX_RECORD_BYTES } from './limits.js';

type Fields = Readonly<Record<string, unknown>>;

/** The category of events whose record names neither a domain nor a scope. */
const DEFAULT_CATEGORY = 'opentelemetry';

/** Nanoseconds since 1970, as text or, in old encoders, as a number. */
const NANOSECONDS = /^\d{1,20}$/;

/** Values of fields that are not set. Some encoders leave them out, and all are to make the same event. */
const DEFAULTS = new Set<unknown>([undefined, null, 0, '']);

/** @returns undefined for a record without a name, which is no event */
export function eventNameOf(record: Fields): unknown {
  return [record.eventName, attributeOf(record, 'event.name')].find(isSet);
}

/**
 * Translates a message of ResourceLogs with a single record, to which `recordId` was added: a name of the record that stays
 * the same when its request is sent again.
 */
export function translateRecord(resourceLogs: Fields): Translation {
  const scopeLogs = firstOf(resourceLogs.scopeLogs);
  const record = firstOf(scopeLogs.logRecords);
  const resource = fieldsOf(resourceLogs.resource);
  const scope = fieldsOf(scopeLogs.scope);
  const uid = idOf(attributeOf(record, 'log.record.uid'));
  const id = uid ?? stringOf(resourceLogs.recordId);
  if (resourceLogs.omittedBytes !== undefined)
    return {
      id,
      code: 'too_large',
      errors: {
        logRecords: [
          `A record must not take more than ${MAX_RECORD_BYTES.toLocaleString('en')} bytes, nor have more fields than fit into an event.`,
        ],
      },
    };
  const session = sessionOf(record, resource);
  if (session === undefined)
    return {
      id,
      code: 'missing_field',
      errors: {
        'session.id': [
          'Set the attribute session.id of the record, send the record within a span, or set the attribute ' +
            'service.instance.id of the resource.',
        ],
      },
    };
  const name = eventNameOf(record);
  return {
    session_id: sessionId(session),
    category: categoryOf(record, scope),
    name: typeof name === 'string' ? cut(name) : name,
    data: {
      ...(uid === undefined && id !== undefined && { recordId: id }),
      ...plainRecord(record),
      ...described('resource', resourceLogs, resource, ['resource', 'scopeLogs', 'recordId']),
      ...described('scope', scopeLogs, scope, ['scope', 'logRecords']),
    },
    timestamp: timestampOf(record),
    id,
  };
}

function sessionOf(record: Fields, resource: Fields): string | undefined {
  return (
    idOf(attributeOf(record, 'session.id')) ??
    idOf(attributeOf(resource, 'session.id')) ??
    traceIdOf(record) ??
    idOf(attributeOf(resource, 'service.instance.id'))
  );
}

/** @returns undefined for an id of zeros, which is none */
function traceIdOf({ traceId }: Fields): string | undefined {
  const text = stringOf(traceId);
  return text === undefined || /^0+$/.test(text) ? undefined : text;
}

const categoryOf = (record: Fields, scope: Fields): string =>
  cut(stringOf(attributeOf(record, 'event.domain')) ?? stringOf(scope.name) ?? DEFAULT_CATEGORY);

function timestampOf({ timeUnixNano, observedTimeUnixNano }: Fields): unknown {
  const nanoseconds = [timeUnixNano, observedTimeUnixNano].find(isSetTime);
  if (!Number.isInteger(nanoseconds) && typeof nanoseconds !== 'string') return nanoseconds;
  const text = typeof nanoseconds === 'string' ? nanoseconds : BigInt(nanoseconds as number).toString();
  // Within the years of a timestamp, since 20 digits are at most 3,170 years.
  return NANOSECONDS.test(text) ? timestampAtMicroseconds(BigInt(text) / 1000n).text : text;
}

/** A record as it came, with plain attributes and body. */
function plainRecord(record: Fields): Fields {
  const { attributes, body, timeUnixNano, observedTimeUnixNano, ...others } = record;
  return {
    ...(isSetTime(timeUnixNano) && { timeUnixNano: asText(timeUnixNano) }),
    ...(isSetTime(observedTimeUnixNano) && { observedTimeUnixNano: asText(observedTimeUnixNano) }),
    ...withoutDefaults(others),
    ...(isFilled(attributes) && { attributes: plainAttributes(attributes) }),
    ...(isFilled(body) && { body: plainValue(body) }),
  };
}

/** A resource or a scope, with what stands beside it in the message around it, such as `schemaUrl`. */
function described(
  member: 'resource' | 'scope',
  around: Fields,
  { attributes, ...others }: Fields,
  elsewhere: readonly string[],
): Fields {
  const beside = Object.entries(around).filter(([name]) => !elsewhere.includes(name));
  const fields = {
    ...withoutDefaults(Object.fromEntries(beside)),
    ...withoutDefaults(others),
    ...(isFilled(attributes) && { attributes: plainAttributes(attributes) }),
  };
  return Object.keys(fields).length > 0 ? { [member]: fields } : {};
}

const withoutDefaults = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => isSet(value)));

const isSet = (value: unknown): boolean => !DEFAULTS.has(value);

const isSetTime = (value: unknown): boolean => isSet(value) && value !== '0';

/** False for what an encoder writes in the place of no attributes and no body. */
const isFilled = (value: unknown): boolean =>
  isSet(value) && (typeof value !== 'object' || value === null || Object.keys(value).length > 0);

/** Old encoders write times as numbers. */
const asText = (value: unknown): unknown => (typeof value === 'number' ? String(value) : value);

const fieldsOf = (value: unknown): Fields => (isJsonObject(value) ? value : {});

const firstOf = (list: unknown): Fields => fieldsOf(Array.isArray(list) ? (list as unknown[])[0] : undefined);
