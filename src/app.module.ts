import { type DynamicModule, Module } from '@nestjs/common';
import { ApplicationsModule } from './applications/applications.module.js';
import { AuditModule } from './audit/audit.module.js';
import { AuthModule } from './auth/auth.module.js';
import { DashboardModule } from './dashboard/dashboard.module.js';
import { EventTypesModule } from './event-types/event-types.module.js';
import { EventsModule } from './events/events.module.js';
import { EventsRepositoryModule } from './events/events-repository.module.js';
import { ExportModule } from './events/export/export.module.js';
import { StreamModule } from './events/stream/stream.module.js';
import { OperationsModule } from './operations/operations.module.js';
import { type Role, runsWorker, servesApi } from './platform/config/role.js';
import { ClickHouseModule } from './platform/clickhouse/clickhouse.module.js';
import { DialectsModule } from './dialects/dialects.module.js';
import { DatabaseModule } from './platform/database/database.module.js';
import { RedisModule } from './platform/redis/redis.module.js';
import { PropertiesModule } from './properties/properties.module.js';
import { QueryModule } from './query/query.module.js';
import { QueueModule } from './queue/queue.module.js';
import { RejectionsModule } from './rejections/rejections.module.js';
import { RejectionsRepositoryModule } from './rejections/rejections-repository.module.js';
import { ReplicationStatusModule } from './replication/replication.module.js';
import { RetryModule } from './rejections/retry/retry.module.js';
import { ScriptModule } from './script/script.module.js';
import { SessionsModule } from './sessions/sessions.module.js';
import { FunnelModule } from './statistics/funnel/funnel.module.js';
import { PathsModule } from './statistics/paths/paths.module.js';
import { RatesModule } from './statistics/rates/rates.module.js';
import { RetentionModule } from './statistics/retention/retention.module.js';
import { SessionStatisticsModule } from './statistics/sessions/session-statistics.module.js';
import { StatisticsModule } from './statistics/statistics.module.js';
import { WorkerModule } from './worker/worker.module.js';

export interface AppOptions {
  role: Role;
  databaseUrl: string;
  redisUrl: string;
  /** Undefined where there is no ClickHouse. */
  clickhouseUrl: string | undefined;
}

/** In processes of every role. */
const SHARED_MODULES = [
  QueueModule,
  AuthModule,
  RatesModule.publisher,
  OperationsModule,
  EventsRepositoryModule,
  RejectionsRepositoryModule,
  ReplicationStatusModule,
];

/** In processes that accept events and respond to queries. */
const API_MODULES = [
  EventsModule.api,
  StreamModule.api,
  ExportModule,
  DialectsModule,
  EventTypesModule,
  RejectionsModule.api,
  RetryModule,
  StatisticsModule,
  RatesModule.api,
  FunnelModule,
  RetentionModule,
  PathsModule,
  PropertiesModule,
  QueryModule,
  SessionsModule,
  SessionStatisticsModule,
  ApplicationsModule,
  AuditModule,
  DashboardModule,
  ScriptModule,
];

/** In processes that store events and do the periodic jobs. */
const WORKER_MODULES = [EventsModule.worker, StreamModule.worker, RejectionsModule.worker, WorkerModule];

/** The whole application: the connections to PostgreSQL, Redis and ClickHouse, and the modules of the lists above. */
@Module({})
export class AppModule {
  static register({ role, databaseUrl, redisUrl, clickhouseUrl }: AppOptions): DynamicModule {
    return {
      module: AppModule,
      imports: [
        DatabaseModule.forRoot(databaseUrl),
        RedisModule.forRoot(redisUrl),
        ClickHouseModule.forRoot(clickhouseUrl),
        ...SHARED_MODULES,
        ...(servesApi(role) ? API_MODULES : []),
        ...(runsWorker(role) ? WORKER_MODULES : []),
      ],
    };
  }
}
