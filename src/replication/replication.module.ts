import { type DynamicModule, Module } from '@nestjs/common';
import { CopyRepository } from './copy.repository.js';
import { Eraser } from './eraser.js';
import { ReplicationReport } from './replication.report.js';
import { ReplicationRepository } from './replication.repository.js';
import { Replicator } from './replicator.js';

/** How far the copy in ClickHouse is behind, in processes of every role. Static, so that Nest makes one instance. */
@Module({
  providers: [ReplicationRepository, ReplicationReport],
  exports: [ReplicationRepository, ReplicationReport],
})
export class ReplicationStatusModule {}

/** Copies stored and removed events to ClickHouse. */
@Module({})
export class ReplicationModule {
  /** Copies in the background. */
  static readonly worker: DynamicModule = {
    module: ReplicationModule,
    imports: [ReplicationStatusModule],
    providers: [CopyRepository, Eraser, Replicator],
    exports: [Eraser, Replicator],
  };
}
