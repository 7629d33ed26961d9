import type { FastifyRequest } from 'fastify';
import { parse } from 'node:querystring';
import { DomainError } from '../../platform/errors/domain-error.js';
import { isJsonObject } from '../../platform/json/json-object.js';
import type { Message } from '../dialect.js';
import { type Envelope, firstItem, openEnvelope } from '../envelope.js';
import { instantOf } from '../values.js';

/** Fields of a form that are read; a form of these SDKs has two or three. */
const MAX_FORM_FIELDS = 16;

/** Query parameters in which older SDKs put the time of sending, in milliseconds since 1970. */
const SENT_AT_PARAMETERS = ['sent_at', '_'];

/**
 * Finds the events of a request: in `batch` or `data` of an object, in a bare array, or as the body itself. The JSON may stand in
 * the field `data` of a form, as it is or in base64.
 *
 * @throws DomainError `invalid`, or `unsupported` for a compression that only old releases of posthog-js have
 */
export async function openRequest(bytes: Buffer, { query, headers }: FastifyRequest): Promise<Message> {
  const parameters = query as Record<string, unknown>;
  refuseLz64(parameters.compression);
  const { items, members } = await openEvents(isForm(bytes) ? dataOfForm(bytes) : bytes);
  return {
    items,
    key: keyIn(members) ?? keyIn(await firstItem(items)),
    sentAt:
      instantOf(members.sent_at) ??
      instantOf(headers['posthog-request-timestamp']) ??
      SENT_AT_PARAMETERS.map((name) => milliseconds(parameters[name])).find((time) => time !== undefined),
  };
}

async function openEvents(body: Buffer): Promise<Envelope> {
  const envelope = await openEnvelope(body, 'batch');
  return Array.isArray(envelope.members.data) && envelope.members.event === undefined
    ? openEnvelope(body, 'data')
    : envelope;
}

/** The key of a project, which stands in the envelope, in an event or in the properties of an event. */
function keyIn(value: unknown): unknown {
  if (!isJsonObject(value)) return undefined;
  const { api_key, token, $token, properties } = value;
  return api_key ?? token ?? $token ?? (isJsonObject(properties) ? properties.token : undefined);
}

/** Forms come under several content types. They begin with the name of a field, and JSON that holds events never with a letter. */
function isForm(bytes: Buffer): boolean {
  const first = bytes[0] ?? 0;
  return (first >= 0x61 && first <= 0x7a) || (first >= 0x41 && first <= 0x5a);
}

/** @throws DomainError `malformed_form` */
function dataOfForm(bytes: Buffer): Buffer {
  const { data, compression } = parse(bytes.toString(), '&', '=', { maxKeys: MAX_FORM_FIELDS });
  refuseLz64(compression);
  if (typeof data !== 'string' || data === '')
    throw new DomainError('invalid', 'malformed_form', 'The form has no field `data`, or several of them.');
  // A form has blanks for the plus signs of base64 that were not percent-encoded.
  return /^\s*[[{]/.test(data) ? Buffer.from(data) : Buffer.from(data.replaceAll(' ', '+'), 'base64');
}

function refuseLz64(compression: unknown): void {
  if (compression === 'lz64')
    throw new DomainError(
      'unsupported',
      'unsupported_media_type',
      'compression=lz64 is not supported. Update posthog-js, or set disable_compression.',
    );
}

const milliseconds = (text: unknown): number | undefined =>
  typeof text === 'string' && /^\d{12,14}$/.test(text) ? Number(text) : undefined;
