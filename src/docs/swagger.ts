import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { type Access, ACCESS_EXTENSION } from '../auth/access.decorator.js';
import { PUBLIC_ADDRESS } from '../platform/http/links.js';

/** Serves Swagger UI at /docs and the OpenAPI document at /docs-json. */
export function setUpSwagger(app: NestFastifyApplication): void {
  const config = new DocumentBuilder()
    .setTitle('The Eye')
    .setDescription(
      'Collects the events of many applications, stores each exactly once, and answers questions about them. ' +
        'Every path works with and without a trailing slash. Errors are problem documents (RFC 9457).',
    )
    .setVersion('1')
    .addServer(PUBLIC_ADDRESS ?? '/')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'A key.' }, 'bearer')
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'A key.' }, 'x-api-key')
    .addBasicAuth(
      { type: 'http', scheme: 'basic', description: 'A key as the user name, no password.' },
      'basic',
    )
    .build();
  SwaggerModule.setup('docs', app, () => describeAccess(SwaggerModule.createDocument(app, config)), {
    jsonDocumentUrl: 'docs-json',
    customSiteTitle: 'The Eye: API',
    swaggerOptions: { tryItOutEnabled: true, displayRequestDuration: true, requestInterceptor: sendAsNdjson },
  });
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** Adds to the description of each route which key it needs. */
function describeAccess(document: OpenAPIObject): OpenAPIObject {
  for (const path of Object.values(document.paths)) {
    for (const method of METHODS) {
      const operation = path[method];
      if (!operation) continue;
      const access = (operation as { [ACCESS_EXTENSION]?: Access })[ACCESS_EXTENSION];
      const sentence = access === 'anybody' ? 'Needs no key.' : `Needs a key of scope \`${access}\`.`;
      operation.description = [operation.description, sentence].filter(Boolean).join('\n\n');
    }
  }
  return document;
}

interface OutgoingRequest {
  headers: Record<string, string>;
  body?: string;
}

/**
 * Runs in the browser. Swagger UI treats every content type with "json" in its name as JSON, and would send the example of
 * an NDJSON body as an indented array. Converts that into NDJSON; what is NDJSON already stays as it is.
 */
function sendAsNdjson(request: OutgoingRequest): OutgoingRequest {
  if (!/ndjson|jsonl/.test(request.headers['Content-Type'] ?? '') || request.body === undefined)
    return request;
  try {
    const body: unknown = JSON.parse(request.body);
    const items: unknown[] = Array.isArray(body) ? body : [body];
    request.body = items.map((item) => JSON.stringify(item)).join('\n');
  } catch {
    // Not one JSON text, so it is NDJSON.
  }
  return request;
}
