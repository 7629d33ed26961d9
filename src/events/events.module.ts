import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { answers, type Role, stores } from '../config/role.js';
import { EventTypesModule } from '../event-types/event-types.module.js';
import { LiveModule } from '../live/live.module.js';
import { RejectionsModule } from '../rejections/rejections.module.js';
import { StatisticsModule } from '../statistics/statistics.module.js';
import { EventEntity } from './event.entity.js';
import { EventsController } from './events.controller.js';
import { EventsPipe } from './events.pipe.js';
import { EventsProcessor } from './events.processor.js';
import { EventsRepository } from './events.repository.js';
import { EventsService } from './events.service.js';
import { ExportsController } from './export/exports.controller.js';
import { ExportsService } from './export/exports.service.js';
import { RetriesController } from './retries.controller.js';
import { RetriesService } from './retries.service.js';
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
        LiveModule.forRole(role),
        StatisticsModule.forRole(role),
      ],
      controllers: answers(role) ? [EventsController, ExportsController, RetriesController] : [],
      providers: [
        EventsRepository,
        StoredEvents,
        EventsService,
        ...(answers(role) ? [EventsPipe, ExportsService, RetriesService] : []),
        ...(stores(role) ? [EventsProcessor] : []),
      ],
    };
  }
}
