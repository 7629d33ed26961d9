import { environment } from '../../platform/config/environment.js';

export const TRACK = {
  type: 'track',
  event: 'Order Completed',
  properties: { price: 9.99, currency: 'EUR' },
  anonymousId: '507f191e810c19729de860ea',
  messageId: 'f85fa74d-5ff1-40c0-98a7-9dc08c474bdc',
  timestamp: '2021-01-01T09:15:29.243Z',
};

export const BATCH = { batch: [TRACK], sentAt: '2021-01-01T09:15:29.301Z' };

const mapping =
  'The event is in category `type`, under the name of `event`, `name` or its type, and in the session of `anonymousId` or ' +
  '`userId`, with the whole of it in `data`. The key may be the user name of Basic, the `writeKey` of the body or of the ' +
  'query, or the header `X-Write-Key`. The content type does not matter.';

export const batchDescription =
  `\`{ "batch": [event, …] }\`, an array of events, or a single one: at most ${environment.EVENTS_LIMIT} events and ` +
  `${environment.BODY_LIMIT} bytes. ${mapping} Events that are refused are among the rejections; the others are stored, and ` +
  'the response is the same.';

export const eventDescription = `A single event, whose type may stand in the path alone. ${mapping} A refused one gets \`400\`.`;

export const SUCCESS = {
  type: 'object',
  properties: { success: { type: 'boolean', example: true } },
  required: ['success'],
};
