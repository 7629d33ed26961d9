import { type DynamicModule, Module } from '@nestjs/common';
import { EventTypesModule } from '../event-types/event-types.module.js';
import { type Role, runsWorker, servesApi } from '../platform/config/role.js';
import { RejectionsModule } from '../rejections/rejections.module.js';
import { EventCountsModule } from '../statistics/event-counts.module.js';
import { EventsController } from './events.controller.js';
import { EventsPipe } from './events.pipe.js';
import { EventsProcessor } from './events.processor.js';
import { EventsRepositoryModule } from './events-repository.module.js';
import { EventsService } from './events.service.js';
import { StoredEventsPoller } from './stored-events.poller.js';
import { StreamModule } from './stream/stream.module.js';

/** Events, from the request to the table and back: the controller, its pipe, the processor and the repository. */
@Module({})
export class EventsModule {
  static forRole(role: Role): DynamicModule {
    return {
      module: EventsModule,
      imports: [
        EventsRepositoryModule,
        EventCountsModule,
        RejectionsModule,
        StreamModule.forRole(role),
        ...(servesApi(role) ? [EventTypesModule] : []),
      ],
      controllers: servesApi(role) ? [EventsController] : [],
      providers: [
        StoredEventsPoller,
        EventsService,
        ...(servesApi(role) ? [EventsPipe] : []),
        ...(runsWorker(role) ? [EventsProcessor] : []),
      ],
    };
  }
}
