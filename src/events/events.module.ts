import { type DynamicModule, Module } from '@nestjs/common';
import { EventTypesModule } from '../event-types/event-types.module.js';
import { RejectionsModule } from '../rejections/rejections.module.js';
import { RejectionsRepositoryModule } from '../rejections/rejections-repository.module.js';
import { EventLimits } from './event-limits.js';
import { EventLimitsPipe } from './event-limits.pipe.js';
import { EventsController } from './events.controller.js';
import { EventsPipe } from './events.pipe.js';
import { EventsProcessor } from './events.processor.js';
import { EventsRepositoryModule } from './events-repository.module.js';
import { EventsService } from './events.service.js';
import { LargeBodies } from './large-bodies.js';
import { StoredEventsPoller } from './stored-events.poller.js';
import { StreamModule } from './stream/stream.module.js';

/** Events, from the request to the table and back: the controller, its pipe, the processor and the repository. */
@Module({})
export class EventsModule {
  /** Accepts events into the queue, and reads stored ones. */
  static readonly api: DynamicModule = {
    module: EventsModule,
    imports: [EventsRepositoryModule, EventTypesModule, RejectionsModule.api],
    controllers: [EventsController],
    providers: [LargeBodies, EventsPipe, EventLimits, EventLimitsPipe, EventsService, StoredEventsPoller],
    exports: [LargeBodies, EventLimits, EventsService],
  };

  /** Stores the events of the queue. */
  static readonly worker: DynamicModule = {
    module: EventsModule,
    imports: [EventsRepositoryModule, RejectionsRepositoryModule, StreamModule.worker],
    providers: [EventsProcessor],
  };
}
