import { Ajv, type ValidateFunction } from 'ajv';
import ajvFormats from 'ajv-formats';
import { STATUS_CODES } from 'node:http';
import type { HttpResponse } from './connection.js';
import { type Operation, operationAt, operationsAt, type Schema, toJsonSchema } from './document.js';
import { fuzzerOf } from './dialects/index.js';
import { HOSTS } from './requests.js';
import type { Wire } from './wire.js';

/** A violation of the document or of an invariant. Faults with equal signatures are duplicates. */
export interface Fault {
  signature: string;
  detail: string;
}

/** Codes of requests refused before routing, which no operation can document. */
const EARLY_CODES = [
  'malformed_url',
  'malformed_request',
  'wrong_host',
  'header_too_large',
  'path_too_long',
  'request_timeout',
  'cut_off',
  'expectation_failed',
];

/** Statuses allowed without a matching route. */
const UNROUTED_STATUSES = [400, 404, 405, 421];

/** Characters of a path segment that a route takes: a text of 255 characters, each of them percent-encoded. */
const MAX_SEGMENT_LENGTH = 255 * 4;

/** A host in forwarding headers, from which a response must take nothing, since no proxy is trusted. */
const FORGED = 'forged.example';

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
    if (headers.get('location')?.includes(FORGED)) yield fault('forged link');
    if (
      status < 300 &&
      body.length < 500_000 &&
      /"(?:next|previous)":"[^"]*forged\.example/.test(body.toString('latin1'))
    )
      yield fault('forged link');
    if (status >= 500 && !isLimited(response)) return yield fault('failure');
    if (status >= 400) yield* this.checkError(wire, operation, response, fault);
    if (tampered || isDocs(target)) return;
    if (status >= 300 && status < 400) yield fault('redirect', headers.get('location'));
    const code = status >= 400 && method !== 'HEAD' ? codeOf(body) : undefined;
    // A response to HEAD has no code, nor may one of a dialect. 414 and 431 occur only before routing.
    if (!tampered) yield* this.checkHost(wire, status, fault);
    const hasNoCode = method === 'HEAD' || (operation && fuzzerOf(operation));
    if (EARLY_CODES.includes(code ?? '') || (hasNoCode && [400, 414, 417, 421, 431].includes(status))) return;
    if (!operation) {
      const isOptions = method === 'OPTIONS' && status === 204;
      if (!UNROUTED_STATUSES.includes(status) && !isOptions) yield fault('no such route');
      else if (!isOptions) yield* this.checkMethod(wire, response, fault);
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

  /** Requests for another host are refused where no key is needed: otherwise DNS rebinding reaches The Eye. */
  private *checkHost(
    { draft: { eye, host, version } }: Wire,
    status: number,
    fault: (kind: string, detail?: string) => Fault,
  ): Generator<Fault> {
    const expected = HOSTS[host];
    const isOptional = host === 'missing' && version === '1.0';
    if (expected === undefined || isOptional || (eye === 'guarded' && expected === 421)) return;
    if (status < 400) yield fault(`accepted a request with the Host ${host}`);
  }

  /** 405 with the methods of the path, or 404 if it has none. */
  private *checkMethod(
    { method, target }: Wire,
    { status, headers }: HttpResponse,
    fault: (kind: string, detail?: string) => Fault,
  ): Generator<Fault> {
    // Whether an empty segment matches a parameter depends on its position in the path.
    if (status === 400 || /\/\//.test(target)) return;
    // No route takes so long a segment. Only the methods of a route say so by 414.
    if (target.split(/[/?]/).some((segment) => segment.length > MAX_SEGMENT_LENGTH)) return;
    const taken = new Set(operationsAt(this.operations, target).map((operation) => operation.method));
    const allowed = (headers.get('allow') ?? '').split(', ');
    if (status === 404 && taken.size > 0 && /^[A-Z]+$/.test(method)) yield fault('404 instead of 405');
    if (status === 405 && [...taken].some((one) => !allowed.includes(one)))
      yield fault('a method is missing in Allow', headers.get('allow'));
    if (status === 405 && allowed.includes(method))
      yield fault('a refused method in Allow', headers.get('allow'));
  }

  /** A dialect reports errors in the form of its protocol, except those of a request that did not reach it. */
  private *checkError(
    { method, target, tampered, draft }: Wire,
    operation: Operation | undefined,
    response: HttpResponse,
    fault: (kind: string, detail?: string) => Fault,
  ): Generator<Fault> {
    const fuzzer = fuzzerOf(operation ?? draft.operation);
    if (fuzzer && method !== 'HEAD' && fuzzer.isError(response)) return;
    // Whether an empty segment matches a parameter depends on its position in the path.
    const mayBeUnrouted = tampered || (response.status === 404 && /\/\//.test(target));
    if (!fuzzer || !operation || mayBeUnrouted || EARLY_CODES.includes(codeOf(response.body) ?? ''))
      return yield* this.checkProblem(method, response, tampered ? this.operations : [operation], fault);
    if (method !== 'HEAD') yield fault(`not an error of ${fuzzer.name}`);
  }

  private *checkProblem(
    method: string,
    { status, headers, body }: HttpResponse,
    mayHandle: readonly (Operation | undefined)[],
    fault: (kind: string, detail?: string) => Fault,
  ): Generator<Fault> {
    const type = headers.get('content-type') ?? '';
    const forms = type.startsWith('application/json') ? mayHandle.flatMap(errorForms) : [];
    if (forms.length > 0) {
      const value = parseJson(body);
      if (method !== 'HEAD' && !forms.some((form) => this.validatorOf(form)(value)))
        yield fault('not an error of its protocol');
      return;
    }
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
  if (key === 'dialect') return access !== 'ingest';
  if (authMethod === 'query') return key !== 'ingest' || access !== 'ingest';
  return key !== 'admin' && key !== access && !(key === 'read' && access === 'metrics');
}

/** The forms in which an operation in the protocol of another system reports errors; empty for problem documents. */
const errorForms = (operation: Operation | undefined): Schema[] =>
  Object.entries(operation?.responses ?? {}).flatMap(([status, { 'application/json': form }]) =>
    Number(status) >= 400 && form ? [form] : [],
  );

/**
 * Whether a response says in a dialect, whose clients would lose their events after a 429, that too much was sent. That to
 * a HEAD request has no body that would say so; other failures of the route are found with GET.
 */
export const isLimited = ({ status, body }: HttpResponse): boolean =>
  status === 503 && (body.length === 0 || codeOf(body) === 'rate_limited');

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
