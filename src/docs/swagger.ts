import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { type Access, ACCESS_EXTENSION } from '../auth/access.decorator.js';
import { describeCloudEvents } from '../dialects/cloudevents/cloudevents.swagger.js';
import type { RenderError } from '../dialects/dialect.js';
import { dialectOf } from '../dialects/registry.js';
import { DIALECT_EXTENSION } from '../dialects/speaks.decorator.js';
import { JSON_CONTENT_TYPE } from '../platform/http/media-types.js';
import { MAX_PARAMETERS } from '../platform/http/parameter-limit.plugin.js';
import { PROBLEM_TABLE, type ProblemEntry } from '../platform/http/problem-table.js';
import { PUBLIC_ADDRESS } from '../platform/http/links.js';

/** Serves Swagger UI at /docs, and the OpenAPI document at /docs-json and /docs-yaml. */
export function setUpSwagger(app: NestFastifyApplication): void {
  const config = new DocumentBuilder()
    .setTitle('The Eye')
    .setDescription(
      'Collects the events of many applications, stores each exactly once, and answers questions about them. ' +
        `Every path works with and without a trailing slash, and a query has at most ${MAX_PARAMETERS} parameters. ` +
        'Errors are problem documents (RFC 9457).',
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
  let built: OpenAPIObject | undefined;
  const document = (): OpenAPIObject =>
    (built ??= describe(SwaggerModule.createDocument(app, config, { autoTagControllers: false })));
  SwaggerModule.setup('docs', app, document, {
    raw: false,
    customSiteTitle: 'The Eye: API',
    swaggerOptions: {
      tryItOutEnabled: true,
      displayRequestDuration: true,
      requestInterceptor: sendAsNdjson,
    },
  });
  // Nest would write the document again for each request, of anybody, which takes milliseconds, and as YAML hundreds.
  let text: Buffer | undefined;
  for (const [path, type] of DOCUMENT_TYPES) {
    app.getHttpAdapter().get(path, (_request: FastifyRequest, reply: FastifyReply) => {
      void reply.type(type).send((text ??= Buffer.from(JSON.stringify(document()))));
    });
  }
}

/** The content types of the document. JSON is YAML, too. */
const DOCUMENT_TYPES = [
  ['/docs-json', JSON_CONTENT_TYPE],
  ['/docs-yaml', 'text/yaml; charset=utf-8'],
] as const;

type OperationObject = NonNullable<OpenAPIObject['paths'][string]['get']>;

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** Adds what the decorators of a route cannot say. */
function describe(document: OpenAPIObject): OpenAPIObject {
  describeCloudEvents(document);
  describeOperations(document);
  return document;
}

/** Adds to each operation which key it needs, and how its protocol reports errors. */
function describeOperations(document: OpenAPIObject): void {
  for (const path of Object.values(document.paths)) {
    for (const method of METHODS) {
      const operation = path[method];
      if (!operation) continue;
      const access = (operation as { [ACCESS_EXTENSION]?: Access })[ACCESS_EXTENSION];
      const sentence = access === 'anybody' ? 'Needs no key.' : `Needs a key of scope \`${access}\`.`;
      operation.description = [operation.description, sentence].filter(Boolean).join('\n\n');
      const dialect = dialectOf((operation as { [DIALECT_EXTENSION]?: string })[DIALECT_EXTENSION] ?? '');
      if (dialect?.renderError) operation.responses = inForm(operation.responses, dialect.renderError);
    }
  }
}

type Responses = OperationObject['responses'];

/** The documented responses with the errors as a dialect reports them. */
function inForm(responses: Responses, render: RenderError): Responses {
  const entries = Object.values<ProblemEntry>(PROBLEM_TABLE);
  const inOwnForm: Responses = {};
  for (const [status, response] of Object.entries(responses)) {
    const entry = entries.find((each) => String(each.status) === status);
    if (!entry || !response || '$ref' in response) {
      inOwnForm[status] = response;
      continue;
    }
    const { body, contentType, status: rendered } = render(entry.example);
    const [mediaType = contentType] = contentType.split(';', 1);
    const content = { [mediaType]: { schema: { type: typeof body }, example: body } };
    // The kind whose status it is describes it or, without one, the first.
    if (status === String(rendered) || !(rendered in inOwnForm))
      inOwnForm[String(rendered)] = { ...response, content };
  }
  return inOwnForm;
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
