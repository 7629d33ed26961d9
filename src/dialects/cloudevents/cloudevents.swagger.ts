import type { OpenAPIObject } from '@nestjs/swagger';
import { BATCH_TYPE, EVENT_TYPE } from './media-types.js';

const EVENT = {
  specversion: '1.0',
  id: 'A234-1234-1234',
  source: '/shop/web',
  type: 'com.example.order.completed',
  subject: 'customer-7',
  time: '2026-01-05T17:31:00Z',
  data: { total: 9.99 },
};

const SCHEMA = {
  type: 'object',
  required: ['specversion', 'id', 'source', 'type'],
  properties: {
    specversion: { type: 'string', enum: ['1.0'] },
    id: {
      type: 'string',
      minLength: 1,
      description: 'Unique within its source: the same event has the same id.',
    },
    source: { type: 'string', minLength: 1, format: 'uri-reference' },
    type: {
      type: 'string',
      minLength: 1,
      description: 'The name of the event; what precedes its last dot is the category.',
    },
    subject: {
      type: 'string',
      description: 'The session_id, unless the extension `sessionid` is; else the source.',
    },
    sessionid: { type: 'string', description: 'An extension: the session_id.' },
    time: {
      type: 'string',
      format: 'date-time',
      description: 'The timestamp. Default: the time of its first arrival.',
    },
    data: {},
  },
  additionalProperties: true,
};

/**
 * Adds CloudEvents to the operation that shares its path with The Eye's own events: OpenAPI has one operation for a path and a
 * method, whatever the request holds.
 */
export function describeCloudEvents({ paths }: OpenAPIObject): void {
  const body = paths['/events']?.post?.requestBody;
  if (!body || !('content' in body)) return;
  body.content[EVENT_TYPE] = {
    schema: SCHEMA,
    examples: { one: { summary: 'An event in structured mode', value: EVENT } },
  };
  body.content[BATCH_TYPE] = {
    schema: { type: 'array', items: SCHEMA },
    examples: { many: { summary: 'A batch', value: [EVENT, { ...EVENT, id: 'B234-1234-1234' }] } },
  };
}
