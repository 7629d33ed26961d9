import { type DynamicModule, Module } from '@nestjs/common';
import { EventCountsKeeper } from './event-counts.keeper.js';
import { EventCountsModule } from './event-counts.module.js';
import { QuestionsModule } from '../questions/questions.module.js';
import { EventCountsUpkeep } from './event-counts.upkeep.js';
import { EventMeasuresRepository } from './measures/event-measures.repository.js';
import { EventMeasuresService } from './measures/event-measures.service.js';
import { StatisticsController } from './statistics.controller.js';
import { StatisticsService } from './statistics.service.js';

/** Counts events by time and by group. */
@Module({})
export class StatisticsModule {
  /** Reads the counts. */
  static readonly api: DynamicModule = {
    module: StatisticsModule,
    imports: [EventCountsModule, QuestionsModule],
    controllers: [StatisticsController],
    providers: [StatisticsService, EventMeasuresService, EventMeasuresRepository],
  };

  /** Rolls up the counts. */
  static readonly worker: DynamicModule = {
    module: StatisticsModule,
    providers: [EventCountsUpkeep, EventCountsKeeper],
    exports: [EventCountsKeeper],
  };
}
