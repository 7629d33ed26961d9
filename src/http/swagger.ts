import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';

/** Swagger UI at /docs, and the OpenAPI document at /docs-json. */
export function describe(app: NestFastifyApplication): void {
  const config = new DocumentBuilder()
    .setTitle('The Eye')
    .setDescription(
      'Collects the events of many applications, stores each exactly once, and answers questions about them. ' +
        'Every path works with and without its trailing slash. Errors are problem details (RFC 9457).',
    )
    .setVersion('1')
    .build();
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, config), {
    jsonDocumentUrl: 'docs-json',
    customSiteTitle: 'The Eye: API',
    swaggerOptions: { tryItOutEnabled: true, displayRequestDuration: true, requestInterceptor: sendAsLines },
  });
}

interface OutgoingRequest {
  headers: Record<string, string>;
  body?: string;
}

/**
 * Runs in the browser: Swagger UI takes every content type with "json" in its name for JSON, and would send the example
 * of an NDJSON body as an indented array. Text that is NDJSON already is left as it is.
 */
function sendAsLines(request: OutgoingRequest): OutgoingRequest {
  if (request.headers['Content-Type'] !== 'application/x-ndjson' || request.body === undefined)
    return request;
  try {
    const body: unknown = JSON.parse(request.body);
    const items: unknown[] = Array.isArray(body) ? body : [body];
    request.body = items.map((item) => JSON.stringify(item)).join('\n');
  } catch {
    // Not one JSON text, so it has lines.
  }
  return request;
}
