import fc from 'fast-check';
import { setTimeout as wait } from 'node:timers/promises';
import { Connection, NoAnswer, type Answer } from './connection.js';
import { House } from './house.js';
import { Ledger } from './ledger.js';
import { type Fault, Oracle } from './oracle.js';
import { type Draft, flight } from './requests.js';
import { retell, wire, type Wire } from './wire.js';

export interface FuzzOptions {
  requests: number;
  /** Senders take turns in them. */
  seeds: [number, ...number[]];
  /** Where in the run of the first seed one failure lies, to repeat just that one. */
  path?: string;
  /** Requests under way at once. */
  senders?: number;
}

/** A fault with the requests that show it and what repeats them. */
export interface Finding extends Fault {
  requests: string;
  seed: number;
  path: string;
}

export interface Report {
  findings: Finding[];
  requests: number;
  /** Flights that were asked to come back later. */
  putOff: number;
  /** Answers by route by status. */
  statuses: Map<string, Map<number, number>>;
  /** Events that were acknowledged. */
  events: number;
  /** Bytes, of each process. */
  memory: House['memory'];
}

/** Milliseconds after which a request counts as left hanging: the longest `Prefer: wait`, and some for a slow machine. */
const PATIENCE = 60_000;

/** Drafts of one seed; then the next seed begins, so that no failure ends a sender. */
const DRAFTS = 100;

/** Milliseconds in which a smaller request that shows the same is looked for. */
const SHRINKING = 90_000;

/** How often a request that is put off is sent again. */
const COMEBACKS = 3;

/** Sends so many requests from the document of a new Eye, and says what must not be. */
export async function fuzz({ requests, seeds, path, senders = 32 }: FuzzOptions): Promise<Report> {
  const house = await House.build();
  try {
    const run = new Run(house, requests);
    if (path === undefined) {
      const seedOf = (sender: number): number => (seeds[sender % seeds.length] ?? 0) + sender * 1_000_003;
      await Promise.all(Array.from({ length: senders }, (_, sender) => run.send(seedOf(sender))));
    } else await run.repeat(seeds[0], path);
    await run.finish();
    return run.report;
  } finally {
    await house.close();
  }
}

class Run {
  private readonly oracle: Oracle;
  private readonly ledger = new Ledger();
  private readonly flights: fc.Arbitrary<Draft[]>;
  private readonly findings = new Map<string, Finding>();
  private readonly statuses: Report['statuses'] = new Map();
  private sent = 0;
  private putOff = 0;

  constructor(
    private readonly house: House,
    private readonly requests: number,
  ) {
    this.oracle = new Oracle(house.operations, house.problem);
    this.flights = flight(house.operations);
  }

  get report(): Report {
    const { findings, statuses, sent, putOff, ledger, house } = this;
    return {
      findings: [...findings.values()],
      requests: sent,
      putOff,
      statuses,
      events: ledger.size,
      memory: house.memory,
    };
  }

  /** One sender: a flight after the other, seed by seed, until enough was sent. */
  async send(seed: number): Promise<void> {
    const connections = new Connections(this.house.setting.hosts);
    for (let turn = 0; this.sent < this.requests; turn++) {
      await this.check({ seed: (seed + turn * 7919) | 0, numRuns: DRAFTS }, connections);
    }
    connections.close();
  }

  async repeat(seed: number, path: string): Promise<void> {
    const connections = new Connections(this.house.setting.hosts);
    await this.check({ seed, path, numRuns: 1 }, connections);
    connections.close();
  }

  /** What can be seen only at the end. */
  async finish(): Promise<void> {
    for (const faults of [this.ledger.settle(this.house.open), this.house.inspect()])
      for await (const fault of faults) {
        if (!this.findings.has(fault.signature))
          this.findings.set(fault.signature, { ...fault, requests: '', seed: 0, path: '' });
      }
  }

  private async check(parameters: fc.Parameters<[Draft[]]>, connections: Connections): Promise<void> {
    let found: Finding | undefined;
    let foundAt = 0;
    const property = fc.asyncProperty(this.flights, async (drafts) => {
      if (found ? Date.now() > foundAt + SHRINKING : this.sent >= this.requests) return;
      const { wires, faults } = await this.flyWhenReady(drafts, connections);
      const fault = faults.find(({ signature }) =>
        found ? signature === found.signature : !this.findings.has(signature),
      );
      if (!fault) return;
      foundAt ||= Date.now();
      found = { ...fault, requests: retell(wires, this.house.setting), seed: 0, path: '' };
      this.findings.set(fault.signature, found);
      throw new Error(fault.signature);
    });
    const { seed, counterexamplePath, failed, errorInstance } = await fc.check(property, parameters);
    if (!failed) return;
    if (found) Object.assign(found, { seed, path: counterexamplePath ?? '' });
    else throw errorInstance;
  }

  /**
   * A slow machine may well ask senders to come back (503 with Retry-After), and they do. What stays unavailable, or
   * becomes so by a certain request, is a fault.
   */
  private async flyWhenReady(drafts: Draft[], connections: Connections): ReturnType<Run['fly']> {
    for (let tries = 0; ; tries++) {
      const flown = await this.fly(drafts, connections);
      if (!flown.isPutOff || tries === COMEBACKS) return flown;
      this.putOff++;
      await wait(1000 * (tries + 1));
    }
  }

  /** Sends requests at once on one connection, and judges their answers. */
  private async fly(
    drafts: Draft[],
    connections: Connections,
  ): Promise<{ wires: Wire[]; faults: Fault[]; isPutOff: boolean }> {
    const { setting } = this.house;
    const eye = drafts[0]?.eye ?? 'open';
    // One of which nothing is left asks for no answer.
    const wires = drafts
      .map((draft) => wire({ ...draft, eye }, setting))
      .filter(({ bytes }) => !isBlank(bytes));
    const faults: Fault[] = [];
    const sentAt = Date.now();
    const connection = await connections.to(eye);
    let answers: Answer[] = [];
    try {
      const methods = wires.map(({ method }) => method);
      answers = await connection.exchange(Buffer.concat(wires.map(({ bytes }) => bytes)), methods, PATIENCE);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      faults.push({ signature: `no answer: ${this.routeOf(wires[0])}`, detail: error.message });
    }
    const shaken = wires.findIndex(({ tampered }) => tampered);
    const closing = wires.findIndex(({ draft }) => draft.headers.some(isClose));
    if (shaken >= 0 || closing >= 0 || answers.at(-1)?.closes || answers.length < wires.length)
      connection.close();
    this.sent += wires.length;
    for (const [index, each] of wires.entries()) {
      // What follows a request that was tampered with may be read as a part of it.
      const isSure = shaken < 0 || index < shaken;
      const judged = isSure ? each : { ...each, tampered: true };
      faults.push(...this.judge(judged, answers[index], sentAt));
    }
    const expected = Math.min(shaken < 0 ? Infinity : shaken, closing < 0 ? wires.length : closing + 1);
    if (answers.length < expected && !answers.at(-1)?.closes && faults.length === 0)
      faults.push({
        signature: `unanswered: ${this.routeOf(wires[answers.length])}`,
        detail: `${answers.length} answers to ${expected} requests after ${Date.now() - sentAt} ms`,
      });
    const isPutOff = answers.some(({ status, headers }) => status === 503 && headers.has('retry-after'));
    return { wires, faults, isPutOff };
  }

  private *judge(each: Wire, answer: Answer | undefined, sentAt: number): Generator<Fault> {
    const operation = this.oracle.operationOf(each);
    const sends = operation?.method === 'POST' && operation.path === '/events';
    if (answer) {
      this.count(each, answer.status);
      const faults = [...this.oracle.judge(each, answer)];
      yield* faults;
      if (operation && answer.status < 300 && faults.length === 0) this.learn(each, answer);
      if (faults.length > 0 && answer.status < 300) return;
    }
    if (sends || each.tampered) yield* this.ledger.note(each, answer, sentAt);
  }

  private learn(each: Wire, { headers, body }: Answer): void {
    const operation = this.oracle.operationOf(each);
    if (!operation || body.length > 500_000 || !headers.get('content-type')?.startsWith('application/json'))
      return;
    if (body.length > 0)
      this.house.setting.known.learn(operation, each.parameters, JSON.parse(body.toString('utf8')));
  }

  private count(each: Wire, status: number): void {
    const route = this.routeOf(each);
    const counts = this.statuses.get(route) ?? new Map<number, number>();
    this.statuses.set(route, counts.set(status, (counts.get(status) ?? 0) + 1));
  }

  private routeOf(each: Wire | undefined): string {
    if (!each || each.tampered) return 'garbled';
    const operation = this.oracle.operationOf(each);
    return operation ? `${each.method} ${operation.path}` : 'nowhere';
  }
}

/** Empty lines, which HTTP overlooks before a request. */
const isBlank = (bytes: Buffer): boolean => bytes.every((byte) => byte === 13 || byte === 10);

const isClose = ([name, value]: [string, string]): boolean => name === 'connection' && value === 'close';

/** A sender's kept connections, one to each Eye. */
class Connections {
  private readonly open = new Map<Draft['eye'], Connection>();

  constructor(private readonly hosts: Record<Draft['eye'], string>) {}

  async to(eye: Draft['eye']): Promise<Connection> {
    const kept = this.open.get(eye);
    if (kept?.usable) return kept;
    kept?.close();
    const connection = await Connection.to(`http://${this.hosts[eye]}`);
    this.open.set(eye, connection);
    return connection;
  }

  close(): void {
    for (const connection of this.open.values()) connection.close();
  }
}
