import { Module } from '@nestjs/common';
import { ReplicationModule } from '../replication/replication.module.js';
import { RejectionsModule } from '../rejections/rejections.module.js';
import { StatisticsModule } from '../statistics/statistics.module.js';
import { PeriodicJobs } from './periodic-jobs.js';

/** The periodic jobs of a worker. */
@Module({
  imports: [
    RejectionsModule.worker,
    StatisticsModule.worker,
    ReplicationModule.worker,
  ],
  providers: [PeriodicJobs],
})
export class WorkerModule {}
