import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { HealthController } from './health/health.controller.js';
import { ReadinessService } from './health/readiness.service.js';
import { ReplicationStatusModule } from '../replication/replication.module.js';
import { BacklogMetrics } from './metrics/backlog.metrics.js';
import { MetricsController } from './metrics/metrics.controller.js';

/** Health and metrics, in processes of every role. */
@Module({
  imports: [TerminusModule.forRoot({ logger: false }), ReplicationStatusModule],
  controllers: [HealthController, MetricsController],
  providers: [ReadinessService, BacklogMetrics],
})
export class OperationsModule {}
