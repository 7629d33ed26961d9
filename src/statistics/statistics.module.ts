import { type DynamicModule, Module } from '@nestjs/common';
import { servesApi, type Role, runsWorker } from '../platform/config/role.js';
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
      controllers: servesApi(role) ? [StatisticsController] : [],
      providers: [
        EventCountsRepository,
        StatisticsService,
        ...(runsWorker(role) ? [EventCountsUpkeep, EventCountsKeeper] : []),
      ],
      exports: [EventCountsRepository],
    };
  }
}
