import { type DynamicModule, Module } from '@nestjs/common';
import { answers, type Role, stores } from '../config/role.js';
import { EventCountsKeeper } from './event-counts.keeper.js';
import { EventCountsRepository } from './event-counts.repository.js';
import { EventCountsUpkeep } from './event-counts.upkeep.js';
import { StatisticsController } from './statistics.controller.js';
import { StatisticsService } from './statistics.service.js';

/** How many events there are: kept by the database as they are stored, and told. */
@Module({})
export class StatisticsModule {
  static forRole(role: Role): DynamicModule {
    return {
      module: StatisticsModule,
      controllers: answers(role) ? [StatisticsController] : [],
      providers: [
        EventCountsRepository,
        StatisticsService,
        ...(stores(role) ? [EventCountsUpkeep, EventCountsKeeper] : []),
      ],
      exports: [EventCountsRepository],
    };
  }
}
