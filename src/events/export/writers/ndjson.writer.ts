import type { ExportedEvent, ExportedEvents } from './exported-event.js';

/**
 * One line an event, with only the fields that an application sends. Each line can be sent again; from the same
 * application it does not make a new event.
 */
export async function* ndjson(pages: ExportedEvents): AsyncGenerator<string> {
  for await (const events of pages) yield events.map(toLine).join('');
}

function toLine({ session_id, category, name, data, timestamp }: ExportedEvent): string {
  return (
    `{"session_id":${JSON.stringify(session_id)},"category":${JSON.stringify(category)},` +
    `"name":${JSON.stringify(name)},"data":${data},"timestamp":"${timestamp}"}\n`
  );
}
