import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allow } from '../../auth/access.decorator.js';
import { ApiProblems } from '../../platform/http/api-problems.js';
import { type Readiness, ReadinessService } from './readiness.service.js';

/** The liveness and readiness of this process. */
@ApiTags('operations')
@Controller('health')
export class HealthController {
  constructor(private readonly readiness: ReadinessService) {}

  @Get('live')
  @Allow('anybody')
  @ApiOperation({ summary: 'Does the process respond?' })
  @ApiOkResponse({ schema: { example: { status: 'ok' } } })
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('ready')
  @Allow('anybody')
  @ApiOperation({ summary: 'Are PostgreSQL and Redis available, and is there room in the backlog?' })
  @ApiOkResponse({
    description:
      'Also reports whether ClickHouse is available, and how far the copy of the events in it is behind. Only questions need it, so neither changes the status.',
    schema: {
      example: {
        status: 'ok',
        checks: {
          postgresql: { status: 'up' },
          redis: { status: 'up' },
          backlog: { status: 'up', events: 0 },
          clickhouse: { status: 'up' },
          replication: { status: 'up', lag_seconds: 0.4, backlog_events: 120 },
        },
      },
    },
  })
  @ApiProblems(503)
  ready(): Promise<Readiness> {
    return this.readiness.check();
  }
}
