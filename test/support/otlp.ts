import type { IncomingMessage, ServerResponse } from 'node:http';
import { LocalServer } from './local-server.js';

export interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  attributes: Record<string, unknown>;
  links: { traceId: string; spanId: string }[];
  /** Attributes of the process that created the span. */
  resource: Record<string, unknown>;
}

/** A minimal trace collector: receives OTLP/HTTP with JSON. */
export class Collector extends LocalServer {
  readonly spans: Span[] = [];
  /** The concatenated bodies of all requests. */
  text = '';

  static start(): Promise<Collector> {
    return new Collector().listen();
  }

  protected override respond(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      if (incoming.url === '/v1/traces') this.receive(Buffer.concat(chunks).toString());
      outgoing.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  }

  private receive(text: string): void {
    this.text += text;
    for (const { resource, scopeSpans } of JSON.parse(text).resourceSpans)
      for (const { spans } of scopeSpans)
        for (const span of spans)
          this.spans.push({
            ...span,
            attributes: toRecord(span.attributes),
            links: span.links ?? [],
            resource: toRecord(resource.attributes),
          });
  }
}

function toRecord(
  attributes: { key: string; value: Record<string, unknown> }[] = [],
): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
