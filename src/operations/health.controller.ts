import { Controller, Get, ServiceUnavailableException } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { HealthCheckService, HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { Database } from '../platform/database/database.js';
import { Sql } from '../platform/database/sql.js';
import { Allow } from '../auth/access.decorator.js';
import { ApiProblems } from '../platform/http/api-problems.js';
import { Problem } from '../platform/http/problem.js';
import { Backlog } from '../queue/backlog.js';
import { RedisHealth } from '../platform/redis/redis-health.js';

/** Milliseconds within which PostgreSQL must answer to count as there. */
const PROBE_TIMEOUT_MS = 1500;

/** Says whether this process lives, and whether it can do its work. */
@ApiTags('operations')
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicator: HealthIndicatorService,
    private readonly redis: RedisHealth,
    private readonly backlog: Backlog,
    private readonly database: Database,
    private readonly sql: Sql,
  ) {}

  @Get('live')
  @Allow('anybody')
  @ApiOperation({ summary: 'Does the process answer?' })
  @ApiOkResponse({ schema: { example: { status: 'ok' } } })
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('ready')
  @Allow('anybody')
  @ApiOperation({ summary: 'Are PostgreSQL and Redis there, and is there room in the backlog?' })
  @ApiOkResponse({ schema: { example: { status: 'ok', checks: { postgresql: { status: 'up' } } } } })
  @ApiProblems(503)
  async ready(): Promise<{ status: 'ok'; checks: HealthIndicatorResult }> {
    try {
      const { details } = await this.health.check([
        () => this.postgresql(),
        () => this.check('redis', this.redis.available),
        () => this.check('backlog', !this.backlog.full, { events: this.backlog.items }),
      ]);
      return { status: 'ok', checks: details };
    } catch (error) {
      if (!(error instanceof ServiceUnavailableException)) throw error;
      const { details } = error.getResponse() as { details: HealthIndicatorResult };
      const down = Object.keys(details).filter((name) => details[name]?.status === 'down');
      throw new Problem(
        503,
        'not_ready',
        `Not ready: ${down.join(', ')}.`,
        { checks: details },
        { 'retry-after': '1' },
      );
    }
  }

  private async postgresql(): Promise<HealthIndicatorResult> {
    const up = await this.sql.query('SELECT 1', [], { timeoutMs: PROBE_TIMEOUT_MS }).then(
      () => true,
      () => false,
    );
    // One that is still being brought up to date cannot be asked, and takes nothing.
    return this.check('postgresql', up && this.database.isReady);
  }

  private check(name: string, up: boolean, details: Record<string, unknown> = {}): HealthIndicatorResult {
    const session = this.indicator.check(name);
    return up ? session.up(details) : session.down(details);
  }
}
