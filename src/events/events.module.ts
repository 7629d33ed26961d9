import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { servesApi, type Role, runsWorker } from '../platform/config/role.js';
import { EventTypesModule } from '../event-types/event-types.module.js';
import { StreamModule } from './stream/stream.module.js';
import { RejectionsModule } from '../rejections/rejections.module.js';
import { StatisticsModule } from '../statistics/statistics.module.js';
import { EventEntity } from './event.entity.js';
import { EventsController } from './events.controller.js';
import { EventsPipe } from './events.pipe.js';
import { EventsProcessor } from './events.processor.js';
import { EventsRepository } from './events.repository.js';
import { EventsService } from './events.service.js';
import { ExportController } from './export/export.controller.js';
import { ExportService } from './export/export.service.js';
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
        TypeOrmModule.forFeature([EventEntity]),
        EventTypesModule.forRole(role),
        RejectionsModule.forRole(role),
        StreamModule.forRole(role),
        StatisticsModule.forRole(role),
      ],
      controllers: servesApi(role) ? [EventsController, ExportController, RetryController] : [],
      providers: [
        EventsRepository,
        StoredEvents,
        EventsService,
        ...(servesApi(role) ? [EventsPipe, ExportService, RetryService] : []),
        ...(runsWorker(role) ? [EventsProcessor] : []),
      ],
    };
  }
}
