/** The schema that the documentation registers; the event of its other examples fits it. */
export const EXAMPLE_SCHEMA = {
  type: 'object',
  properties: { host: { type: 'string' }, path: { type: 'string', pattern: '^/' } },
  required: ['host', 'path'],
};

export const EXAMPLE_KEY = { category: 'page interaction', name: 'pageview' };
