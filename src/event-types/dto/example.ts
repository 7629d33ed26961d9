/** The schema in the examples of the documentation; their event matches it. */
export const EXAMPLE_SCHEMA = {
  type: 'object',
  properties: { host: { type: 'string' }, path: { type: 'string', pattern: '^/' } },
  required: ['host', 'path'],
};

export const EXAMPLE_KEY = { category: 'page interaction', name: 'pageview' };
