import { type DynamicModule, Module } from '@nestjs/common';
import { EventsRepositoryModule } from '../events/events-repository.module.js';
import { SessionsController } from './sessions.controller.js';
import { SessionsKeeper } from './sessions.keeper.js';
import { SessionsRepository } from './sessions.repository.js';
import { SessionsService } from './sessions.service.js';
import { SessionsUpkeep } from './sessions.upkeep.js';

/** Lists sessions and the events of a session. The database maintains the sessions as events are stored. */
@Module({})
export class SessionsModule {
  /** Reads the sessions. */
  static readonly api: DynamicModule = {
    module: SessionsModule,
    imports: [EventsRepositoryModule],
    controllers: [SessionsController],
    providers: [SessionsRepository, SessionsService],
  };

  /** Rolls up the sessions. */
  static readonly worker: DynamicModule = {
    module: SessionsModule,
    providers: [SessionsUpkeep, SessionsKeeper],
    exports: [SessionsKeeper],
  };
}
