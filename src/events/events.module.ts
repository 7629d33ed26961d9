import { type DynamicModule, Module } from '@nestjs/common';
import { servesApi, type Role, runsWorker } from '../platform/config/role.js';
import { EventTypesModule } from '../event-types/event-types.module.js';
import { StreamModule } from './stream/stream.module.js';
import { RejectionsModule } from '../rejections/rejections.module.js';
import { EventCountsModule } from '../statistics/event-counts.module.js';
import { EventsController } from './events.controller.js';
import { EventsPipe } from './events.pipe.js';
import { EventsProcessor } from './events.processor.js';
import { EventsRepositoryModule } from './events-repository.module.js';
import { EventsService } from './events.service.js';
import { RetryController } from '../rejections/retry/retry.controller.js';
import { RetryService } from '../rejections/retry/retry.service.js';
import { StoredEvents } from './stored-events.js';

/** Events, from the request to the table and back. */
@Module({})
export class EventsModule {
  static forRole(role: Role): DynamicModule {
    return {
      module: EventsModule,
      imports: [
        EventsRepositoryModule,
        EventCountsModule,
        EventTypesModule.forRole(role),
        RejectionsModule.forRole(role),
        StreamModule.forRole(role),
      ],
      controllers: servesApi(role) ? [EventsController, RetryController] : [],
      providers: [
        StoredEvents,
        EventsService,
        ...(servesApi(role) ? [EventsPipe, RetryService] : []),
        ...(runsWorker(role) ? [EventsProcessor] : []),
      ],
    };
  }
}
