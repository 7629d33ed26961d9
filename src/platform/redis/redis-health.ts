import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { retryForever } from '../async/retry-forever.js';
import { RedisConnections } from './redis-connections.js';
import { RedisDurability } from './redis-durability.js';
import { isCommandTimeout } from './redis-errors.js';
import { describeConnectionError, type RedisRefusal, refusalOf } from './redis-refusal.js';

const PROBE_INTERVAL_MS = 200;

/**
 * Writes a small key with an expiry. Usually the key exists and nothing is written, but Redis checks all the same whether it
 * may write. A cluster refuses the two keys, which are in different slots.
 */
const WRITE_PROBE = `return redis.call('SET', KEYS[1], 1, 'PX', ARGV[1], 'NX')`;
const PROBE_KEYS = ['the-eye:probe', 'the-eye:probe:other-slot'];
const PROBE_EXPIRY_MS = 5000;

/** Whether Redis replies, is a primary and takes writes. Contains the circuit breaker of the queue. */
@Injectable()
export class RedisHealth implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('Redis');
  private readonly durability: RedisDurability;
  private readonly stopped = new AbortController();
  /** True while the circuit breaker is open. */
  private isTripped = false;
  /** Counts connections, so that a late reply on an earlier one is recognised. */
  private connection = 0;
  /** Why Redis takes no writes although it can be reached. */
  private refusal: RedisRefusal | undefined;
  /** Why Redis cannot be reached. */
  private connectionError: Error | undefined;
  /** The problems that were logged since Redis was writable. */
  private readonly loggedProblems = new Set<string>();
  private resolveReady: () => void = () => undefined;
  private readonly whenReady = new Promise<void>((resolve) => (this.resolveReady = resolve));

  constructor(private readonly connections: RedisConnections) {
    this.durability = new RedisDurability(connections);
  }

  /** False while Redis is disconnected, not replying, or not a primary, which the connection checks. */
  get available(): boolean {
    return !this.isTripped && this.connections.client.status === 'ready';
  }

  /** False while Redis is not available or takes no writes. */
  get writable(): boolean {
    return this.available && this.refusal === undefined;
  }

  /** Why Redis is not writable, without secrets and addresses; undefined if it is. */
  get problem(): string | undefined {
    if (this.writable) return undefined;
    if (this.isTripped) return 'Redis does not reply';
    return this.refusal?.reason ?? describeConnectionError(this.connectionError);
  }

  /** Resolves when Redis is writable for the first time. */
  ready(): Promise<void> {
    return this.whenReady;
  }

  onModuleInit(): void {
    const { client } = this.connections;
    client.on('error', (error) => {
      this.connectionError = error;
      this.refusal = refusalOf(error);
    });
    client.on('ready', () => {
      this.connection++;
      this.connectionError = undefined;
      void this.probeWrites().then(() => {
        if (this.writable) void this.durability.check();
      });
    });
    client.on('close', () => this.logProblem());
  }

  /** Nest shuts global modules down last, in the reverse order of their import: after everything that uses Redis. */
  onApplicationShutdown(): void {
    this.stopped.abort();
    this.connections.close();
  }

  /** Opens the circuit breaker: until Redis replies to a write, producers fail fast instead of timing out. */
  trip(): void {
    if (this.isTripped) return;
    this.isTripped = true;
    this.logProblem();
    this.waitForReply().then(
      () => {
        this.isTripped = false;
        void this.probeWrites();
      },
      () => undefined,
    );
  }

  /** Finds out whether Redis takes writes. Never rejects. */
  async probeWrites(): Promise<void> {
    if (!this.available) return;
    const { connection } = this;
    try {
      await this.writeProbe();
      if (connection === this.connection) this.onWritable();
    } catch (error) {
      if (connection === this.connection) this.onFailure(error);
    }
  }

  private onWritable(): void {
    this.refusal = undefined;
    if (!this.writable) return;
    if (this.loggedProblems.size > 0) this.logger.log('Redis is available again.');
    this.loggedProblems.clear();
    this.resolveReady();
  }

  private onFailure(error: unknown): void {
    if (isCommandTimeout(error)) return this.trip();
    const refusal = refusalOf(error);
    if (!refusal) return;
    this.refusal = refusal;
    this.logProblem();
  }

  private logProblem(): void {
    const { problem } = this;
    if (problem === undefined || this.loggedProblems.has(problem) || this.stopped.signal.aborted) return;
    this.loggedProblems.add(problem);
    this.logger.warn(`${problem}; events get 503 until that has changed.`);
  }

  /** Resolves when Redis replies to a write, also with a refusal. Rejects when the process stops. */
  private async waitForReply(): Promise<void> {
    await retryForever(() => this.writeProbe().catch(ignoreRefusal), {
      signal: this.stopped.signal,
      minBackoffMs: PROBE_INTERVAL_MS,
      maxBackoffMs: PROBE_INTERVAL_MS,
      onFailure: (error) => {
        const { client } = this.connections;
        // This connection may be dead without any report of it, so a later probe uses a new one. Other errors are not a reason:
        // ioredis takes up to two seconds to disconnect, in which every command fails at once.
        if (isCommandTimeout(error) && client.status === 'ready') client.disconnect(true);
      },
    });
  }

  private writeProbe(): Promise<unknown> {
    return this.connections.client.eval(WRITE_PROBE, PROBE_KEYS.length, ...PROBE_KEYS, PROBE_EXPIRY_MS);
  }
}

function ignoreRefusal(error: unknown): void {
  if (!refusalOf(error)) throw error;
}
