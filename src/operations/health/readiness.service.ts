import { Injectable, ServiceUnavailableException } from '@nestjs/common';
import { HealthCheckService, HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { ClickHouse } from '../../platform/clickhouse/clickhouse.js';
import { Database } from '../../platform/database/database.js';
import { type DatabaseUnavailableError, ReadOnlyError } from '../../platform/database/database-errors.js';
import { HealthSql } from '../../platform/database/sql.js';
import { UnavailableError } from '../../platform/errors/domain-error.js';
import { RedisHealth } from '../../platform/redis/redis-health.js';
import { Backlog } from '../../queue/backlog.js';
import { ReplicationReport } from '../../replication/replication.report.js';

export interface Readiness {
  status: 'ok';
  checks: HealthIndicatorResult;
}

/**
 * Whether this process can do its work: PostgreSQL and Redis are available, and the backlog has room. Also says whether
 * ClickHouse is available, which only questions need.
 */
@Injectable()
export class ReadinessService {
  private isDraining = false;

  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly redis: RedisHealth,
    private readonly backlog: Backlog,
    private readonly database: Database,
    private readonly sql: HealthSql,
    private readonly clickhouse: ClickHouse,
    private readonly replication: ReplicationReport,
  ) {}

  /** From now on, this process asks for no more requests. It serves those that come all the same. */
  startDraining(): void {
    this.isDraining = true;
  }

  /** @throws UnavailableError `draining`, or `not_ready` with the same `checks` but `replication`, for which PostgreSQL is asked */
  async check(): Promise<Readiness> {
    if (this.isDraining) throw new UnavailableError('draining', 'This process is about to stop.');
    try {
      const { details } = await this.health.check([
        () => this.checkPostgresql(),
        () => this.indicateRedis(),
        () => this.checkBacklog(),
      ]);
      const [clickhouse, replication] = await Promise.all([
        this.describeClickHouse(),
        this.describeReplication(),
      ]);
      return { status: 'ok', checks: { ...details, ...clickhouse, ...replication } };
    } catch (error) {
      // Terminus reports a failed check only by this exception.
      if (!(error instanceof ServiceUnavailableException)) throw error;
      const { details } = error.getResponse() as { details: HealthIndicatorResult };
      const down = Object.keys(details).filter((name) => details[name]?.status === 'down');
      const checks = { ...details, ...(await this.describeClickHouse()) };
      throw new UnavailableError('not_ready', `Not ready: ${down.join(', ')}.`, { details: { checks } });
    }
  }

  /** Reported, but not required: without ClickHouse, events are accepted, stored and listed all the same. */
  private async describeClickHouse(): Promise<HealthIndicatorResult> {
    const reason = await this.clickhouse.availability.currentProblem();
    return { clickhouse: reason === undefined ? { status: 'up' } : { status: 'down', reason } };
  }

  /** How far the copy in ClickHouse is behind. `lag_seconds` is null until the first copy is complete. */
  private async describeReplication(): Promise<HealthIndicatorResult> {
    const status = await this.replication.read().catch(() => undefined);
    if (status === undefined) return {};
    const { lag_seconds, backlog_events } = status;
    return { replication: { status: 'up', lag_seconds, backlog_events } };
  }

  private indicateRedis(): HealthIndicatorResult {
    const { problem } = this.redis;
    return this.indicate('redis', problem === undefined, problem === undefined ? {} : { reason: problem });
  }

  private async checkBacklog(): Promise<HealthIndicatorResult> {
    const events = await this.backlog.count();
    return this.indicate('backlog', !this.backlog.full, { events });
  }

  private async checkPostgresql(): Promise<HealthIndicatorResult> {
    // Until the migrations have run, PostgreSQL responds but cannot be used.
    const reason = await this.sql.checkWritable().then(
      () => (this.database.isReady ? undefined : 'not_migrated'),
      ({ cause }: DatabaseUnavailableError) =>
        cause instanceof ReadOnlyError ? 'read_only' : 'not_available',
    );
    return this.indicate('postgresql', reason === undefined, reason === undefined ? {} : { reason });
  }

  private indicate(
    name: string,
    isUp: boolean,
    details: Record<string, unknown> = {},
  ): HealthIndicatorResult {
    const indicator = this.indicators.check(name);
    return isUp ? indicator.up(details) : indicator.down(details);
  }
}
