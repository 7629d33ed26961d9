import { type DynamicModule, Module } from '@nestjs/common';
import { EventsRepositoryModule } from '../events/events-repository.module.js';
import { type Role, runsWorker, servesApi } from '../platform/config/role.js';
import { SessionsController } from './sessions.controller.js';
import { SessionsKeeper } from './sessions.keeper.js';
import { SessionsRepository } from './sessions.repository.js';
import { SessionsService } from './sessions.service.js';
import { SessionsUpkeep } from './sessions.upkeep.js';

/** Lists sessions and the events of a session. The database maintains the sessions as events are stored. */
@Module({})
export class SessionsModule {
  static forRole(role: Role): DynamicModule {
    return {
      module: SessionsModule,
      imports: [EventsRepositoryModule],
      controllers: servesApi(role) ? [SessionsController] : [],
      providers: [
        ...(servesApi(role) ? [SessionsRepository, SessionsService] : []),
        ...(runsWorker(role) ? [SessionsUpkeep, SessionsKeeper] : []),
      ],
    };
  }
}
