import { Ajv, type ValidateFunction } from 'ajv';
import ajvFormats from 'ajv-formats';
import { STATUS_CODES } from 'node:http';
import type { HttpResponse } from './connection.js';
import { type Operation, operationAt, type Schema, toJsonSchema } from './document.js';
import type { Wire } from './wire.js';

/** A violation of the document or of an invariant. Faults with equal signatures are duplicates. */
export interface Fault {
  signature: string;
  detail: string;
}

/** Codes of requests refused before routing, which no operation can document. */
const EARLY_CODES = [
  'malformed_url',
  'header_too_large',
  'path_too_long',
  'request_timeout',
  'cut_off',
  'expectation_failed',
];

/** Statuses allowed without a matching route. 403 rejects the origin. */
const UNROUTED_STATUSES = [400, 403, 404];

/** Statuses allowed for OPTIONS, which has a route on every path. 413 and 415 concern its body. */
const PREFLIGHT_STATUSES = [204, 413, 415];

/** Swagger UI is not in its own document. */
const isDocs = (target: string): boolean => target.startsWith('/docs');

/** Checks responses against the document and against invariants of all responses. */
export class Oracle {
  private readonly ajv = new Ajv({ strict: false, allErrors: false });
  private readonly validators = new Map<Schema, ValidateFunction>();
  private readonly problem: ValidateFunction;

  constructor(
    private readonly operations: Operation[],
    problem: Schema,
  ) {
    ajvFormats.default(this.ajv);
    // RFC 9457 allows further members.
    this.problem = this.ajv.compile({ ...toJsonSchema(problem), additionalProperties: true });
  }

  /** The operation that must handle a request. */
  operationOf({ tampered, method, target }: Wire): Operation | undefined {
    return tampered ? undefined : operationAt(this.operations, method, target);
  }

  *check(wire: Wire, response: HttpResponse): Generator<Fault> {
    const { status, headers, body } = response;
    const { method, target, tampered } = wire;
    const operation = this.operationOf(wire);
    const route = tampered ? 'tampered' : operation ? `${method} ${operation.path}` : `${method} unrouted`;
    const fault = (kind: string, detail = body.toString('utf8').slice(0, 600)): Fault => ({
      signature: `${kind}: ${route} ${status}`,
      detail,
    });
    if (headers.has('x-injected')) yield fault('injected header');
    if (status >= 500) return yield fault('failure');
    if (status >= 400) yield* this.checkProblem(method, response, fault);
    if (tampered || isDocs(target)) return;
    if (status >= 300 && status < 400) yield fault('redirect', headers.get('location'));
    const code = status >= 400 && method !== 'HEAD' ? codeOf(body) : undefined;
    // A response to HEAD has no code. 414 and 431 occur only before routing.
    if (EARLY_CODES.includes(code ?? '') || (method === 'HEAD' && [414, 417, 431].includes(status))) return;
    if (!operation) {
      const isPreflight = method === 'OPTIONS' && PREFLIGHT_STATUSES.includes(status);
      if (!UNROUTED_STATUSES.includes(status) && !isPreflight) yield fault('no such route');
      return;
    }
    const types = operation.responses[status];
    // Whether an empty segment matches a parameter depends on its position in the path.
    if (status === 404 && /\/\//.test(target)) return;
    if (!types) return yield fault('undocumented status');
    if (status < 300) {
      if (isUnauthorizedAccess(wire, operation))
        yield fault('unauthorized access', `with the key: ${wire.draft.key}`);
      yield* this.checkContent(method, types, response, fault);
    }
  }

  private *checkProblem(
    method: string,
    { status, headers, body }: HttpResponse,
    fault: (kind: string, detail?: string) => Fault,
  ): Generator<Fault> {
    const type = headers.get('content-type') ?? '';
    if (type !== 'application/problem+json; charset=utf-8')
      return yield fault('not a problem document', type);
    if (method === 'HEAD') return;
    const problem = parseJson(body) as { status?: unknown; title?: unknown } | undefined;
    if (!this.problem(problem))
      yield fault('not a problem document', `${this.errorsOf(this.problem)} ${body.toString()}`);
    else if (problem?.status !== status || problem.title !== STATUS_CODES[status])
      yield fault('not a problem document');
  }

  private *checkContent(
    method: string,
    types: Record<string, Schema>,
    { headers, body }: HttpResponse,
    fault: (kind: string, detail?: string) => Fault,
  ): Generator<Fault> {
    const [type = ''] = (headers.get('content-type') ?? '').split(';', 1);
    if (Object.keys(types).length === 0) {
      if (body.length > 0) yield fault('undocumented body');
      return;
    }
    const schema = types[type];
    if (!schema) return yield fault('undocumented type', type);
    if (method === 'HEAD' || type !== 'application/json') return;
    const validate = this.validatorOf(schema);
    const value = parseJson(body);
    if (value === undefined || !validate(value))
      yield fault(
        'violates its schema',
        `${this.errorsOf(validate)} ${body.toString('utf8').slice(0, 2000)}`,
      );
  }

  private validatorOf(schema: Schema): ValidateFunction {
    const known = this.validators.get(schema) ?? this.ajv.compile(toJsonSchema(schema));
    this.validators.set(schema, known);
    return known;
  }

  private errorsOf({ errors }: ValidateFunction): string {
    return this.ajv.errorsText(errors, { dataVar: 'body' });
  }
}

function isUnauthorizedAccess({ draft: { eye, key, authMethod } }: Wire, { access }: Operation): boolean {
  if (eye === 'open' || access === 'anybody' || key === 'known') return false;
  if (authMethod === 'query') return key !== 'ingest' || access !== 'ingest';
  return key !== 'admin' && key !== access;
}

function codeOf(body: Buffer): string | undefined {
  return (parseJson(body) as { code?: string } | undefined)?.code;
}

/** Parses JSON in valid UTF-8. Returns undefined for anything else. */
function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}
