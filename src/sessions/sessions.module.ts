import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { servesApi, type Role, runsWorker } from '../platform/config/role.js';
import { EventEntity } from '../events/event.entity.js';
import { EventsRepository } from '../events/events.repository.js';
import { EventCountsRepository } from '../statistics/event-counts.repository.js';
import { FunnelController } from '../statistics/funnel/funnel.controller.js';
import { FunnelRepository } from '../statistics/funnel/funnel.repository.js';
import { FunnelService } from '../statistics/funnel/funnel.service.js';
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
      controllers: servesApi(role) ? [SessionsController, FunnelController] : [],
      providers: [
        ...(servesApi(role)
          ? [
              EventsRepository,
              EventCountsRepository,
              SessionsRepository,
              SessionsService,
              FunnelRepository,
              FunnelService,
            ]
          : []),
        ...(runsWorker(role) ? [SessionsUpkeep, SessionsKeeper] : []),
      ],
    };
  }
}
