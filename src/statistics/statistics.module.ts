import { type DynamicModule, Module } from '@nestjs/common';
import { type Role, runsWorker, servesApi } from '../platform/config/role.js';
import { EventCountsKeeper } from './event-counts.keeper.js';
import { EventCountsModule } from './event-counts.module.js';
import { EventCountsUpkeep } from './event-counts.upkeep.js';
import { StatisticsController } from './statistics.controller.js';
import { StatisticsService } from './statistics.service.js';

/** Counts events by time and by group. */
@Module({})
export class StatisticsModule {
  static forRole(role: Role): DynamicModule {
    return {
      module: StatisticsModule,
      imports: [EventCountsModule],
      controllers: servesApi(role) ? [StatisticsController] : [],
      providers: [
        ...(servesApi(role) ? [StatisticsService] : []),
        ...(runsWorker(role) ? [EventCountsUpkeep, EventCountsKeeper] : []),
      ],
    };
  }
}
