/** A schema of the document with resolved references. */
export interface Schema {
  type?: string;
  format?: string;
  enum?: unknown[];
  oneOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  nullable?: boolean;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  maxItems?: number;
  example?: unknown;
  [keyword: string]: unknown;
}

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  schema: Schema;
}

/** One method of one path, as the document describes it. */
export interface Operation {
  method: string;
  /** Template, e.g. `/events/{id}`. */
  path: string;
  parameters: Parameter[];
  /** Schemas of the request body by content type; empty if the operation takes no body. */
  bodies: Record<string, Schema>;
  /** Response schemas by status and content type; empty for a status without a body. */
  responses: Record<string, Record<string, Schema>>;
  /** The scope that a key needs, or `anybody`. */
  access: string;
  tags: string[];
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

/** Every operation of an OpenAPI 3.0 document. */
export function operationsOf(document: any): Operation[] {
  return Object.entries<any>(document.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => method in item).flatMap((method) => {
      const { parameters = [], requestBody, responses, ...operation } = resolve(item[method], document);
      const bodies = Object.entries(schemasByType(requestBody?.content));
      const own: Operation = {
        method: method.toUpperCase(),
        path,
        parameters: parameters.map((parameter: any) => ({ required: false, schema: {}, ...parameter })),
        bodies: Object.fromEntries(bodies.filter(([type]) => !CLOUDEVENTS.test(type))),
        responses: Object.fromEntries(
          Object.entries<any>(responses).map(([status, { content }]) => [status, schemasByType(content)]),
        ),
        access: String(operation['x-access']),
        tags: operation.tags ?? [],
      };
      const cloudEvents = bodies.filter(([type]) => CLOUDEVENTS.test(type));
      if (cloudEvents.length === 0) return own;
      return [own, { ...own, bodies: Object.fromEntries(cloudEvents), tags: ['send: cloudevents'] }];
    }),
  );
}

/** Of the dialect that shares a path with The Eye's own events: an operation of its own for the fuzzer. */
const CLOUDEVENTS = /^application\/cloudevents/;

function schemasByType(content: Record<string, any> = {}): Record<string, Schema> {
  return Object.fromEntries(Object.entries(content).map(([type, { schema }]) => [type, schema ?? {}]));
}

/** Replaces every `$ref` with its target. */
function resolve(value: any, document: any): any {
  if (Array.isArray(value)) return value.map((item) => resolve(item, document));
  if (typeof value !== 'object' || value === null) return value;
  if (typeof value.$ref === 'string') {
    const steps: string[] = value.$ref.slice(2).split('/');
    return resolve(
      steps.reduce((at, step) => at[step], document),
      document,
    );
  }
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, resolve(item, document)]));
}

/** Converts to JSON Schema: expands `nullable` and forbids undocumented properties. */
export function toJsonSchema({ nullable, ...schema }: Schema): object {
  const { oneOf, items, properties, additionalProperties } = schema;
  const plain = {
    ...schema,
    ...(oneOf && { oneOf: oneOf.map(toJsonSchema) }),
    ...(items && { items: toJsonSchema(items) }),
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, property]) => [name, toJsonSchema(property)]),
      ),
      additionalProperties: false,
    }),
    ...(typeof additionalProperties === 'object' && {
      additionalProperties: toJsonSchema(additionalProperties),
    }),
    ...(additionalProperties === true && { additionalProperties: true }),
  };
  return nullable ? { anyOf: [{ type: 'null' }, plain] } : plain;
}

/**
 * Finds the operation that must handle a request, independently of The Eye's router. Undefined if there is none.
 * @param target the request target of the request line
 */
export function operationAt(operations: Operation[], method: string, target: string): Operation | undefined {
  const fits = operationsAt(operations, target).filter(
    (operation) => operation.method === (method === 'HEAD' ? 'GET' : method),
  );
  // Literal segments take precedence over parameters.
  return fits.sort((a, b) => a.path.split('{').length - b.path.split('{').length)[0];
}

/** Every operation of a path, whatever its method. */
export function operationsAt(operations: Operation[], target: string): Operation[] {
  const path = target.split('?', 1)[0] ?? '';
  const given = withoutTrailingSlash(path).split('/').map(decodePart);
  return operations.filter((operation) => {
    const parts = operation.path.split('/');
    return (
      parts.length === given.length &&
      parts.every((part, index) =>
        part.startsWith('{') ? given[index] !== undefined : part === given[index],
      )
    );
  });
}

function withoutTrailingSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

function decodePart(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
