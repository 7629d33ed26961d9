import { type DynamicModule, Module } from '@nestjs/common';
import { BatchEventsRepository } from './batch-events.repository.js';
import { BatchesRepository } from './batches.repository.js';
import { CopyRepository } from './copy.repository.js';
import { Eraser } from './eraser.js';
import { ReplicationReport } from './replication.report.js';
import { ReplicationStatusRepository } from './replication-status.repository.js';
import { Replicator } from './replicator.js';

/** How far the copy in ClickHouse is behind, in processes of every role. Static, so that Nest makes one instance. */
@Module({
  providers: [ReplicationStatusRepository, ReplicationReport],
  exports: [ReplicationStatusRepository, ReplicationReport],
})
export class ReplicationStatusModule {}

/** Copies stored and removed events to ClickHouse. */
@Module({})
export class ReplicationModule {
  /** Copies in the background. */
  static readonly worker: DynamicModule = {
    module: ReplicationModule,
    providers: [BatchesRepository, BatchEventsRepository, CopyRepository, Eraser, Replicator],
    exports: [Eraser, Replicator],
  };
}
