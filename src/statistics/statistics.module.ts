import { type DynamicModule, Module } from '@nestjs/common';
import { EventCountsKeeper } from './event-counts.keeper.js';
import { EventCountsModule } from './event-counts.module.js';
import { EventCountsUpkeep } from './event-counts.upkeep.js';
import { StatisticsController } from './statistics.controller.js';
import { StatisticsService } from './statistics.service.js';

/** Counts events by time and by group. */
@Module({})
export class StatisticsModule {
  /** Reads the counts. */
  static readonly api: DynamicModule = {
    module: StatisticsModule,
    imports: [EventCountsModule],
    controllers: [StatisticsController],
    providers: [StatisticsService],
  };

  /** Rolls up the counts. */
  static readonly worker: DynamicModule = {
    module: StatisticsModule,
    providers: [EventCountsUpkeep, EventCountsKeeper],
    exports: [EventCountsKeeper],
  };
}
