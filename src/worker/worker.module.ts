import { Module } from '@nestjs/common';
import { ReplicationModule } from '../replication/replication.module.js';
import { RejectionsModule } from '../rejections/rejections.module.js';
import { PeriodicJobs } from './periodic-jobs.js';

/** The periodic jobs of a worker. */
@Module({
  imports: [RejectionsModule.worker, ReplicationModule.worker],
  providers: [PeriodicJobs],
})
export class WorkerModule {}
