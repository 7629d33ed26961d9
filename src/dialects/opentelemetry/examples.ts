/** A request with one event, as an exporter sends it. */
export const EXAMPLE_REQUEST = {
  resourceLogs: [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
      scopeLogs: [
        {
          scope: { name: 'checkout', version: '1.0.0' },
          logRecords: [
            {
              timeUnixNano: String(BigInt(Date.now()) * 1_000_000n),
              eventName: 'com.example.order.completed',
              attributes: [
                { key: 'session.id', value: { stringValue: 'visit-1' } },
                { key: 'log.record.uid', value: { stringValue: '01HZY3V5Q8Z0W2N4K6M8P0R2T4' } },
                { key: 'price', value: { doubleValue: 9.99 } },
              ],
            },
          ],
        },
      ],
    },
  ],
};

export const EXAMPLE_RESPONSE = {
  partialSuccess: {
    rejectedLogRecords: '2',
    errorMessage: '2 without an event name, which are no events.',
  },
};
