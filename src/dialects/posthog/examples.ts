const EVENT = {
  event: 'Order Completed',
  uuid: '7e5c4aa5-3643-452c-b6c9-d8dce3d6aaee',
  distinct_id: 'user-1',
  timestamp: '2026-01-31T09:15:29.243Z',
  properties: { price: 9.99, currency: 'EUR', $session_id: 'session-1' },
};

/** A body as the SDKs send it. */
export const BATCH_EXAMPLE = { api_key: 'phc_key', batch: [EVENT], sent_at: '2026-01-31T09:15:30.000Z' };

/** The same for the API with results, whose key stands in `Authorization`. */
export const V1_BATCH_EXAMPLE = {
  created_at: '2026-01-31T09:15:30.000Z',
  batch: [{ ...EVENT, session_id: 'session-1', options: {}, properties: { price: 9.99, currency: 'EUR' } }],
};

export const ACCEPTED_SCHEMA = {
  type: 'object',
  properties: { status: { type: 'integer', enum: [1] } },
  required: ['status'],
};

export const RESULTS_SCHEMA = {
  type: 'object',
  properties: {
    results: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        properties: { result: { type: 'string', enum: ['ok', 'drop'] }, details: { type: 'string' } },
        required: ['result'],
      },
    },
  },
  required: ['results'],
};
