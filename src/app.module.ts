import { type DynamicModule, Module } from '@nestjs/common';
import { ApplicationsModule } from './applications/applications.module.js';
import { type Role, servesApi } from './platform/config/role.js';
import { DashboardModule } from './dashboard/dashboard.module.js';
import { DatabaseModule } from './platform/database/database.module.js';
import { EventsModule } from './events/events.module.js';
import { ExportModule } from './events/export/export.module.js';
import { FunnelModule } from './statistics/funnel/funnel.module.js';
import { OperationsModule } from './operations/operations.module.js';
import { RatesModule } from './statistics/rates/rates.module.js';
import { RedisModule } from './platform/redis/redis.module.js';
import { QueueModule } from './queue/queue.module.js';
import { RejectionsApiModule } from './rejections/rejections-api.module.js';
import { RetryModule } from './rejections/retry/retry.module.js';
import { SessionsModule } from './sessions/sessions.module.js';
import { StatisticsModule } from './statistics/statistics.module.js';

export interface AppOptions {
  role: Role;
  databaseUrl: string;
  redisUrl: string;
}

/** The map of the house. */
@Module({})
export class AppModule {
  static register({ role, databaseUrl, redisUrl }: AppOptions): DynamicModule {
    return {
      module: AppModule,
      imports: [
        DatabaseModule.forRoot(databaseUrl),
        RedisModule.forRoot(redisUrl),
        QueueModule,
        RatesModule.forRole(role),
        ApplicationsModule.forRole(role),
        EventsModule.forRole(role),
        StatisticsModule.forRole(role),
        SessionsModule.forRole(role),
        ...(servesApi(role) ? [ExportModule, FunnelModule, RejectionsApiModule, RetryModule] : []),
        DashboardModule.forRole(role),
        OperationsModule,
      ],
    };
  }
}
