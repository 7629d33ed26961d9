import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { answers, type Role, stores } from '../config/role.js';
import { EventEntity } from '../events/event.entity.js';
import { EventsRepository } from '../events/events.repository.js';
import { EventCountsRepository } from '../statistics/event-counts.repository.js';
import { FunnelsController } from './funnels.controller.js';
import { FunnelsRepository } from './funnels.repository.js';
import { FunnelsService } from './funnels.service.js';
import { SessionsController } from './sessions.controller.js';
import { SessionsKeeper } from './sessions.keeper.js';
import { SessionsRepository } from './sessions.repository.js';
import { SessionsService } from './sessions.service.js';
import { SessionsUpkeep } from './sessions.upkeep.js';

/** Sessions: kept by the database as their events are stored, listed, read, and followed from step to step. */
@Module({})
export class SessionsModule {
  static forRole(role: Role): DynamicModule {
    return {
      module: SessionsModule,
      imports: [TypeOrmModule.forFeature([EventEntity])],
      controllers: answers(role) ? [SessionsController, FunnelsController] : [],
      providers: [
        ...(answers(role)
          ? [
              EventsRepository,
              EventCountsRepository,
              SessionsRepository,
              SessionsService,
              FunnelsRepository,
              FunnelsService,
            ]
          : []),
        ...(stores(role) ? [SessionsUpkeep, SessionsKeeper] : []),
      ],
    };
  }
}
