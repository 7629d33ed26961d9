import type { ExportedEvent, ExportedEvents } from './writers.js';

/**
 * An event a line, with just the fields that an application sends: each line can be sent again and, by the same
 * application, makes no new event.
 */
export async function* ndjson(pages: ExportedEvents): AsyncGenerator<string> {
  for await (const events of pages) yield events.map(line).join('');
}

function line({ session_id, category, name, data, timestamp }: ExportedEvent): string {
  return (
    `{"session_id":${JSON.stringify(session_id)},"category":${JSON.stringify(category)},` +
    `"name":${JSON.stringify(name)},"data":${data},"timestamp":"${timestamp}"}\n`
  );
}
