import fc from 'fast-check';
import { setTimeout as wait } from 'node:timers/promises';
import { Connection, InvalidResponse, type HttpResponse } from './connection.js';
import { FuzzTarget } from './target.js';
import { Ledger } from './ledger.js';
import { type Fault, isLimited, Oracle } from './oracle.js';
import { type Draft, pipelineFor } from './requests.js';
import { formatReproduction, toWire, type Wire } from './wire.js';

export interface FuzzOptions {
  requests: number;
  /** Assigned to the senders in turn. */
  seeds: [number, ...number[]];
  /** fast-check's path of one failure of the first seed, to repeat only that one. */
  path?: string;
  /** Number of concurrent senders. */
  senders?: number;
  /** Called for each finding as soon as it is complete, so that a run that is ended early has reported it. */
  onFinding?: (finding: Finding) => void;
}

/** A fault with the requests that cause it, and the seed and path that repeat them. */
export interface Finding extends Fault {
  requests: string;
  seed: number;
  path: string;
}

export interface Report {
  findings: Finding[];
  requests: number;
  /** Pipelines sent again: see `sendWithRetries`. */
  retries: number;
  /** Number of responses by route and status. */
  statuses: Map<string, Map<number, number>>;
  /** Number of acknowledged events. */
  events: number;
  /** Peak memory of each process in bytes. */
  memory: FuzzTarget['memory'];
}

/** The longest `Prefer: wait`, plus a margin for slow machines. */
const RESPONSE_TIMEOUT_MS = 60_000;

/** Pipelines per seed. Then the next seed begins, so that a failure does not end a sender. */
const RUNS_PER_SEED = 100;

/** Time to search for a smaller request with the same fault. */
const SHRINK_TIMEOUT_MS = 90_000;

/** Retries of a pipeline after a 503 response with Retry-After. */
const MAX_RETRIES = 3;

/** Starts two Eyes, sends requests generated from their OpenAPI document, and reports the faults. */
export async function fuzz({ requests, seeds, path, senders = 32, onFinding }: FuzzOptions): Promise<Report> {
  const target = await FuzzTarget.start();
  try {
    const run = new Run(target, requests, onFinding);
    if (path === undefined) {
      const seedOf = (sender: number): number => (seeds[sender % seeds.length] ?? 0) + sender * 1_000_003;
      await Promise.all(Array.from({ length: senders }, (_, sender) => run.send(seedOf(sender))));
    } else await run.repeat(seeds[0], path);
    await run.finish();
    return run.report;
  } finally {
    await target.close();
  }
}

class Run {
  private readonly oracle: Oracle;
  private readonly ledger = new Ledger();
  private readonly pipelines: fc.Arbitrary<Draft[]>;
  private readonly findings = new Map<string, Finding>();
  private readonly statuses: Report['statuses'] = new Map();
  private sentRequests = 0;
  private retries = 0;

  constructor(
    private readonly target: FuzzTarget,
    private readonly requests: number,
    private readonly onFinding?: (finding: Finding) => void,
  ) {
    this.oracle = new Oracle(target.operations, target.problem);
    this.pipelines = pipelineFor(target.operations);
  }

  get report(): Report {
    const { findings, statuses, sentRequests, retries, ledger, target } = this;
    return {
      findings: [...findings.values()],
      requests: sentRequests,
      retries,
      statuses,
      events: ledger.size,
      memory: target.memory,
    };
  }

  /** Runs one sender: one pipeline after the other, seed by seed, until enough requests were sent. */
  async send(seed: number): Promise<void> {
    const connections = new Connections(this.target.context.hosts);
    for (let turn = 0; this.sentRequests < this.requests; turn++) {
      await this.check({ seed: (seed + turn * 7919) | 0, numRuns: RUNS_PER_SEED }, connections);
    }
    connections.close();
  }

  async repeat(seed: number, path: string): Promise<void> {
    const connections = new Connections(this.target.context.hosts);
    await this.check({ seed, path, numRuns: 1 }, connections);
    connections.close();
  }

  /** Checks what is visible only at the end: stored events and the state of the processes. */
  async finish(): Promise<void> {
    for (const faults of [this.ledger.verify(this.target.open), this.target.inspect()])
      for await (const fault of faults) {
        if (this.findings.has(fault.signature)) continue;
        const finding = { ...fault, requests: '', seed: 0, path: '' };
        this.findings.set(fault.signature, finding);
        this.onFinding?.(finding);
      }
  }

  private async check(parameters: fc.Parameters<[Draft[]]>, connections: Connections): Promise<void> {
    let found: Finding | undefined;
    let foundAt = 0;
    const property = fc.asyncProperty(this.pipelines, async (drafts) => {
      if (found ? Date.now() > foundAt + SHRINK_TIMEOUT_MS : this.sentRequests >= this.requests) return;
      const { wires, faults } = await this.sendWithRetries(drafts, connections);
      const fault = faults.find(({ signature }) =>
        found ? signature === found.signature : !this.findings.has(signature),
      );
      if (!fault) return;
      foundAt ||= Date.now();
      found = { ...fault, requests: formatReproduction(wires, this.target.context), seed: 0, path: '' };
      this.findings.set(fault.signature, found);
      throw new Error(fault.signature);
    });
    const { seed, counterexamplePath, failed, errorInstance } = await fc.check(property, parameters);
    if (!failed) return;
    if (!found) throw errorInstance;
    this.onFinding?.(Object.assign(found, { seed, path: counterexamplePath ?? '' }));
  }

  /**
   * Retries what is legitimate on a slow machine: after 503 with Retry-After, after an export that was cut off because its next
   * page had no turn within REQUEST_TIMEOUT, after a connection that was closed while it was kept alive, and after a request
   * that got 408 because its process had no turn. What persists, or what one request causes, is a fault.
   */
  private async sendWithRetries(drafts: Draft[], connections: Connections): ReturnType<Run['sendPipeline']> {
    for (let retry = 0; ; retry++) {
      const result = await this.sendPipeline(drafts, connections);
      if (!result.isUnavailable || retry === MAX_RETRIES) return result;
      this.retries++;
      await wait(1000 * (retry + 1));
    }
  }

  /** Sends pipelined requests on one connection and checks the responses. */
  private async sendPipeline(
    drafts: Draft[],
    connections: Connections,
  ): Promise<{ wires: Wire[]; faults: Fault[]; isUnavailable: boolean }> {
    const { context } = this.target;
    // Where no key is needed, events of dialects would go to an application whose events are all known one by one.
    const isStranger = drafts.some(({ dialect, key }) => dialect && key !== 'dialect');
    const eye = isStranger ? 'guarded' : (drafts[0]?.eye ?? 'open');
    // A request that consists only of empty lines gets no response.
    const wires = drafts
      .map((draft) => toWire({ ...draft, eye }, context))
      .filter(({ bytes }) => !isBlank(bytes));
    const faults: Fault[] = [];
    const sentAt = Date.now();
    const connection = await connections.get(eye);
    const { isReused } = connection;
    let responses: HttpResponse[] = [];
    let isInvalid = false;
    try {
      const methods = wires.map(({ method }) => method);
      responses = await connection.exchange(
        Buffer.concat(wires.map(({ bytes }) => bytes)),
        methods,
        RESPONSE_TIMEOUT_MS,
      );
    } catch (error) {
      if (!(error instanceof InvalidResponse)) throw error;
      isInvalid = true;
      faults.push({ signature: `no response: ${this.routeOf(wires[0])}`, detail: error.message });
    }
    const tamperedIndex = wires.findIndex(({ tampered }) => tampered);
    const closingIndex = wires.findIndex(
      ({ draft }) => draft.version === '1.0' || draft.headers.some(isClose),
    );
    if (
      tamperedIndex >= 0 ||
      closingIndex >= 0 ||
      responses.at(-1)?.closes ||
      responses.length < wires.length
    )
      connection.close();
    this.sentRequests += wires.length;
    for (const [index, each] of wires.entries()) {
      // A server may read what follows a tampered request as part of it.
      const isReliable = tamperedIndex < 0 || index < tamperedIndex;
      const checked = isReliable ? each : { ...each, tampered: true };
      faults.push(...this.checkResponse(checked, responses[index], sentAt));
    }
    const expected = Math.min(
      tamperedIndex < 0 ? Infinity : tamperedIndex,
      closingIndex < 0 ? wires.length : closingIndex + 1,
    );
    if (responses.length < expected && !responses.at(-1)?.closes && faults.length === 0)
      faults.push({
        signature: `no response: ${this.routeOf(wires[responses.length])}`,
        detail: `${responses.length} responses to ${expected} requests after ${Date.now() - sentAt} ms`,
      });
    // While The Eye still discards the body of a request that it has refused, it may give up the connection.
    const isGivenUp = isReused && !isInvalid && responses.length === 0;
    const isStarved = isGivenUp || responses.some(({ status }) => status === 408);
    const isCutOff = isInvalid && wires.some((wire) => this.routeOf(wire) === 'GET /events/export');
    const isUnavailable =
      isCutOff ||
      (tamperedIndex < 0 && isStarved) ||
      responses.some(
        (response) => response.status === 503 && response.headers.has('retry-after') && !isLimited(response),
      );
    return { wires, faults, isUnavailable };
  }

  private *checkResponse(each: Wire, response: HttpResponse | undefined, sentAt: number): Generator<Fault> {
    const operation = this.oracle.operationOf(each);
    const sends = operation?.method === 'POST' && operation.path === '/events';
    if (response) {
      this.countStatus(each, response.status);
      const faults = [...this.oracle.check(each, response)];
      yield* faults;
      if (operation && response.status < 300 && faults.length === 0) this.recordResponse(each, response);
      if (faults.length > 0 && response.status < 300) return;
    }
    yield* this.ledger.dialects.record(each, response);
    if (sends || each.tampered) yield* this.ledger.record(each, response, sentAt);
  }

  private recordResponse(each: Wire, { headers, body }: HttpResponse): void {
    const operation = this.oracle.operationOf(each);
    if (!operation || body.length > 500_000 || !headers.get('content-type')?.startsWith('application/json'))
      return;
    if (body.length > 0)
      this.target.context.known.record(operation, each.parameters, JSON.parse(body.toString('utf8')));
  }

  private countStatus(each: Wire, status: number): void {
    const route = this.routeOf(each);
    const counts = this.statuses.get(route) ?? new Map<number, number>();
    this.statuses.set(route, counts.set(status, (counts.get(status) ?? 0) + 1));
  }

  private routeOf(each: Wire | undefined): string {
    if (!each || each.tampered) return 'tampered';
    const operation = this.oracle.operationOf(each);
    return operation ? `${each.method} ${operation.path}` : 'unrouted';
  }
}

/** Empty lines, which HTTP servers ignore before a request. */
const isBlank = (bytes: Buffer): boolean => bytes.every((byte) => byte === 13 || byte === 10);

const isClose = ([name, value]: [string, string]): boolean => name === 'connection' && value === 'close';

/** The persistent connections of a sender, one to each Eye. */
class Connections {
  private readonly open = new Map<Draft['eye'], Connection>();

  constructor(private readonly hosts: Record<Draft['eye'], string>) {}

  async get(eye: Draft['eye']): Promise<Connection> {
    const existing = this.open.get(eye);
    if (existing?.isUsable) return existing;
    existing?.close();
    const connection = await Connection.open(`http://${this.hosts[eye]}`);
    this.open.set(eye, connection);
    return connection;
  }

  close(): void {
    for (const connection of this.open.values()) connection.close();
  }
}
