import { setTimeout as wait } from 'node:timers/promises';
import { Admin, bearer } from '../../testing/keys.js';
import { percentile } from '../../testing/statistics.js';
import type { Env, TheEye } from '../../testing/the-eye.js';
import { type Account, brokenPromises } from '../support/ledger.js';
import { Copy } from '../support/replication.js';
import { type Attack, ATTACKER, GOOD, type Scope, SCOPES, type Stage } from './attack.js';
import type { Attacker } from './attacker.js';
import { type Experience, type GoodKeys, GoodTraffic, NO_RESPONSE } from './good-traffic.js';
import type { AttackOrder, AttackReport } from './load-process.js';

/** What The Eye promises to everybody else during an attack. */
export interface Promises {
  /** Milliseconds in which the good sender gets this share of its responses. */
  sendMs: number;
  /** Milliseconds in which the good reader gets this share of its responses: of PostgreSQL, and of ClickHouse. */
  readMs: number;
  questionMs: number;
  share: number;
  /** Milliseconds for which one request may hold the event loop. */
  blockMs: number;
  /** Mebibytes of resident memory. */
  memory: number;
  /** Requests of good callers that may fail, and those that may get no response. */
  failures: number;
  timeouts: number;
  /** On a slow machine, this share may take so many times as long as before the attack. */
  slowdown: number;
}

export const PROMISES: Promises = {
  sendMs: 250,
  readMs: 1000,
  questionMs: 1000,
  share: 0.99,
  blockMs: 50,
  memory: 768,
  failures: 0,
  timeouts: 0,
  slowdown: 3,
};

/** The settings of The Eye under attack. */
export const SETTINGS: Env = { AUTH: 'required', LOG_LEVEL: 'warn' };

export interface Durations {
  /** Milliseconds of good traffic before the attack. */
  beforeMs: number;
  /** Milliseconds of the attack. */
  attackMs: number;
}

/** A single request is sent up to so many times, since the machine may suspend The Eye meanwhile. */
const SINGLE_TRIES = 3;

/** A request that costs more CPU time than this is sent once. */
const SINGLE_DOUBT_MS = 500;

/** The Eye is quiet if it uses less than half of the CPU time for so many milliseconds. */
const QUIET_MS = 300;

/** Milliseconds of good traffic that are not measured. */
const SETTLE_MS = 500;

export interface Result {
  name: string;
  before: Experience;
  during: Experience;
  account: Account;
  /** Milliseconds for which one request held the event loop, and its milliseconds of CPU. */
  single: { blockMs: number; cpuMs: number; statuses: string[] };
  report: AttackReport;
}

/** The Eye under attack, with the keys of all callers. */
export class Trial {
  private constructor(
    private readonly stage: Stage,
    private readonly good: GoodKeys,
    private readonly attacker: Attacker,
  ) {}

  /** @param eye started with `SETTINGS` */
  static async on(eye: TheEye, attacker: Attacker): Promise<Trial> {
    const admin = await Admin.of(eye);
    const key = async (application: string, scope: Scope): Promise<string> =>
      (await admin.create(application, { scope })).key;
    const keys = await Promise.all(SCOPES.map(async (scope) => [scope, await key(ATTACKER, scope)] as const));
    // Until there is a first copy, questions get 503.
    await new Copy(eye).caughtUp();
    const stage: Stage = { eye, admin, keys: Object.fromEntries(keys) as Stage['keys'] };
    return new Trial(stage, { ingest: await key(GOOD, 'ingest'), read: await key(GOOD, 'read') }, attacker);
  }

  /** @throws Error if The Eye stops responding, or does not store its backlog */
  async run(attack: Attack, { beforeMs, attackMs }: Durations): Promise<Result> {
    const { eye } = this.stage;
    await attack.prepare?.(this.stage);
    const key = await this.keyOf(attack);
    const order = (more: Partial<AttackOrder>): AttackOrder => ({
      name: attack.name,
      url: eye.url,
      key,
      durationMs: attackMs,
      ...more,
    });
    const traffic = new GoodTraffic(eye, this.good, attack.question);
    await traffic.measure(wait(SETTLE_MS));
    const before = await traffic.measure(wait(beforeMs));
    const single = await this.measureSingle(order({ senders: 1, times: 1 }));
    let report: AttackReport = { requests: 0, statuses: {}, largest: 0 };
    const during = await traffic.measure(
      this.attacker.run(order({})).then((received) => void (report = received)),
    );
    const account = await traffic.account();
    return { name: attack.name, before, during, account, single, report };
  }

  private async keyOf({ scope, limit }: Attack): Promise<string | undefined> {
    if (scope === undefined) return undefined;
    if (limit === undefined) return this.stage.keys[scope];
    return (await this.stage.admin.create(ATTACKER, { scope, rate_limit: limit })).key;
  }

  /** Sends the request alone, and resolves with the shortest time for which it held the event loop. */
  private async measureSingle(order: AttackOrder): Promise<Result['single']> {
    let best: Result['single'] = { blockMs: Infinity, cpuMs: Infinity, statuses: [] };
    for (let time = 0; isDoubtful(best) && time < SINGLE_TRIES; time++) {
      const idle = await this.scrape();
      const statuses = Object.keys((await this.attacker.run(order)).statuses);
      const { cpuMs, blockMs } = await this.quiet();
      // One that gets another status, such as 429, is another request.
      if (time > 0 && statuses.join() !== best.statuses.join()) break;
      best = {
        blockMs: Math.min(best.blockMs, blockMs),
        cpuMs: Math.min(best.cpuMs, cpuMs - idle.cpuMs),
        statuses,
      };
    }
    return best;
  }

  /** Waits until The Eye no longer works for a request that the attacker has given up, and resolves with the worst scrape. */
  private async quiet(): Promise<{ blockMs: number; cpuMs: number }> {
    let worst = await this.scrape();
    for (let isQuiet = false; !isQuiet;) {
      await wait(QUIET_MS);
      const { cpuMs, blockMs } = await this.scrape();
      isQuiet = cpuMs - worst.cpuMs < QUIET_MS / 2;
      worst = { cpuMs, blockMs: Math.max(blockMs, worst.blockMs) };
    }
    return worst;
  }

  /** The longest block since the last scrape, and the CPU time since the start. */
  private async scrape(): Promise<{ blockMs: number; cpuMs: number }> {
    const { eye, admin } = this.stage;
    const { body } = await eye.get('/metrics', bearer(admin.key));
    const read = (name: string): number =>
      Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'm').exec(body as string)?.[1]) * 1000;
    return { blockMs: read('nodejs_eventloop_lag_max_seconds'), cpuMs: read('process_cpu_seconds_total') };
  }
}

/** Whether the machine may have suspended The Eye, rather than one request having worked for so long. */
const isDoubtful = ({ blockMs, cpuMs }: Result['single']): boolean =>
  blockMs > PROMISES.blockMs && (cpuMs === Infinity || cpuMs < SINGLE_DOUBT_MS);

/** The number of failed requests of good callers, with or without a response. */
export const failed = ({ failures }: Experience): number => sum(failures.values());

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((all, one) => all + one, 0);

export const p99 = (durations: readonly number[]): number => percentile(durations, 0.99);

/** Descriptions of the promises that an attack broke; empty if there are none. */
export const complaints = (attack: Attack, result: Result, promises = PROMISES): string[] => [
  ...delays(result, promises),
  ...violations(attack, result, promises),
];

/** Who waited for too long during an attack, or for nothing: on a busy machine, The Eye may not be why. */
export function delays({ before, during }: Result, promises: Promises): string[] {
  const late = (
    who: string,
    limitMs: number,
    ...durations: [before: number[], during: number[]]
  ): string[] => {
    const [was, is] = durations.map((each) => Math.round(percentile(each, promises.share))) as [
      number,
      number,
    ];
    return is > Math.max(limitMs, promises.slowdown * was) ? [`${who} waited ${is} ms, ${was} before`] : [];
  };
  const tooMany = (limit: number, isOne: (failure: string) => boolean): string[] => {
    const failures = [...during.failures].filter(([failure]) => isOne(failure));
    return sum(failures.map(([, times]) => times)) > limit
      ? failures.map(([failure, times]) => `${times} x ${failure}`)
      : [];
  };
  return [
    ...late('the sender', promises.sendMs, before.sends, during.sends),
    ...late('the reader', promises.readMs, before.reads, during.reads),
    ...late('the reader of ClickHouse', promises.questionMs, before.questions, during.questions),
    ...tooMany(promises.timeouts, (failure) => failure.startsWith(NO_RESPONSE)),
    ...tooMany(promises.failures, (failure) => !failure.startsWith(NO_RESPONSE)),
  ];
}

/** The other promises that an attack broke, which do not depend on how long something took. */
export function violations(
  attack: Attack,
  { during, single, report, account }: Result,
  promises: Promises,
): string[] {
  // While the machine suspends The Eye, the clock runs on; its CPU time does not.
  const heldMs = Math.min(single.blockMs, single.cpuMs);
  const statuses = Object.keys(report.statuses).map(Number);
  const wrong = statuses.filter(
    (status) => attack.statuses !== undefined && !attack.statuses.includes(status),
  );
  return [
    ...(heldMs > promises.blockMs ? [`one request held the event loop for ${Math.round(heldMs)} ms`] : []),
    ...(during.memory > promises.memory ? [`${Math.round(during.memory)} MiB of memory`] : []),
    ...wrong.map((status) => `responded ${status}`),
    ...statuses.filter((status) => status === 500).map(() => 'responded 500'),
    ...brokenPromises(account),
  ];
}
