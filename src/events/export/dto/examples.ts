import { EXAMPLE_STORED } from '../../dto/example.js';

const { id, application, session_id, category, name, data, timestamp } = EXAMPLE_STORED;
const json = JSON.stringify(data);

/** The example event of the documentation in each format. */
export const FILE_EXAMPLES = {
  'application/x-ndjson': {
    schema: { type: 'string' },
    example: `${JSON.stringify({ session_id, category, name, data, timestamp })}\n`,
  },
  'text/csv': {
    schema: { type: 'string' },
    example:
      'id,application,session_id,category,name,data,timestamp\r\n' +
      `${id},${application},${session_id},${category},${name},"${json.replaceAll('"', '""')}",${timestamp}\r\n`,
  },
  'application/vnd.apache.parquet': { schema: { type: 'string', format: 'binary' } },
};
