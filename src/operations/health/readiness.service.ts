import { Injectable, ServiceUnavailableException } from '@nestjs/common';
import { HealthCheckService, HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { Database } from '../../platform/database/database.js';
import { Sql } from '../../platform/database/sql.js';
import { UnavailableError } from '../../platform/errors/domain-error.js';
import { RedisHealth } from '../../platform/redis/redis-health.js';
import { Backlog } from '../../queue/backlog.js';

const POSTGRESQL_TIMEOUT_MS = 1500;

export interface Readiness {
  status: 'ok';
  checks: HealthIndicatorResult;
}

/** Whether this process can do its work: PostgreSQL and Redis are available, and the backlog has room. */
@Injectable()
export class ReadinessService {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly redis: RedisHealth,
    private readonly backlog: Backlog,
    private readonly database: Database,
    private readonly sql: Sql,
  ) {}

  /** @throws UnavailableError `not_ready`, with the same `checks` */
  async check(): Promise<Readiness> {
    try {
      const { details } = await this.health.check([
        () => this.checkPostgresql(),
        () => this.indicate('redis', this.redis.available),
        () => this.indicate('backlog', !this.backlog.full, { events: this.backlog.items }),
      ]);
      return { status: 'ok', checks: details };
    } catch (error) {
      // Terminus reports a failed check only by this exception.
      if (!(error instanceof ServiceUnavailableException)) throw error;
      const { details: checks } = error.getResponse() as { details: HealthIndicatorResult };
      const down = Object.keys(checks).filter((name) => checks[name]?.status === 'down');
      throw new UnavailableError('not_ready', `Not ready: ${down.join(', ')}.`, { details: { checks } });
    }
  }

  private async checkPostgresql(): Promise<HealthIndicatorResult> {
    const responds = await this.sql.query('SELECT 1', [], { timeoutMs: POSTGRESQL_TIMEOUT_MS }).then(
      () => true,
      () => false,
    );
    // Until the migrations have run, PostgreSQL responds but cannot be used.
    return this.indicate('postgresql', responds && this.database.isReady);
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
