import { Ajv, type ValidateFunction } from 'ajv';
import ajvFormats from 'ajv-formats';
import { STATUS_CODES } from 'node:http';
import type { HttpResponse } from './connection.js';
import { type Operation, operationAt, type Schema, toJsonSchema } from './document.js';
import type { Wire } from './wire.js';

/** Something that must not be; two of one signature are the same thing. */
export interface Fault {
  signature: string;
  detail: string;
}

/** Codes of what is refused before a route is found, or where none is: no operation can document them. */
const EARLY_CODES = [
  'malformed_url',
  'header_too_large',
  'path_too_long',
  'request_timeout',
  'cut_off',
  'expectation_failed',
];

/** Where there is no route: what is said of that, or of the page that sent it. */
const UNROUTED_STATUSES = [400, 403, 404];

/** A preflight has a route of its own, on every path; with a body it is read as one. */
const PREFLIGHT_STATUSES = [204, 413, 415];

/** Swagger UI is not in its own document. */
const isDocs = (target: string): boolean => target.startsWith('/docs');

/** Judges answers by the document and by what holds for all. */
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

  /** The operation that a request must reach. */
  operationOf({ tampered, method, target }: Wire): Operation | undefined {
    return tampered ? undefined : operationAt(this.operations, method, target);
  }

  *check(wire: Wire, response: HttpResponse): Generator<Fault> {
    const { status, headers, body } = response;
    const { method, target, tampered } = wire;
    const operation = this.operationOf(wire);
    const route = tampered ? 'garbled' : operation ? `${method} ${operation.path}` : `${method} nowhere`;
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
    // An answer to HEAD has no code; 414 and 431 are never said later.
    if (EARLY_CODES.includes(code ?? '') || (method === 'HEAD' && [414, 417, 431].includes(status))) return;
    if (!operation) {
      const isPreflight = method === 'OPTIONS' && PREFLIGHT_STATUSES.includes(status);
      if (!UNROUTED_STATUSES.includes(status) && !isPreflight) yield fault('no such route');
      return;
    }
    const types = operation.responses[status];
    // An empty part is a parameter in some places of a path and none in others.
    if (status === 404 && /\/\//.test(target)) return;
    if (!types) return yield fault('undocumented status');
    if (status < 300) {
      if (isUnauthorizedAccess(wire, operation)) yield fault('let in', `with the key: ${wire.draft.key}`);
      yield* this.checkContent(method, types, response, fault);
    }
  }

  private *checkProblem(
    method: string,
    { status, headers, body }: HttpResponse,
    fault: (kind: string, detail?: string) => Fault,
  ): Generator<Fault> {
    const type = headers.get('content-type') ?? '';
    if (type !== 'application/problem+json; charset=utf-8') return yield fault('no problem', type);
    if (method === 'HEAD') return;
    const problem = parseJson(body) as { status?: unknown; title?: unknown } | undefined;
    if (!this.problem(problem))
      yield fault('no problem', `${this.errorsOf(this.problem)} ${body.toString()}`);
    else if (problem?.status !== status || problem.title !== STATUS_CODES[status]) yield fault('no problem');
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
      yield fault('unlike its schema', `${this.errorsOf(validate)} ${body.toString('utf8').slice(0, 2000)}`);
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

/** The value of a JSON text in good UTF-8, undefined for anything else. */
function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}
