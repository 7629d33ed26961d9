import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { type Role, servesApi } from '../platform/config/role.js';
import { EventTypeVersionEntity } from './event-type-version.entity.js';
import { EventTypes } from './event-types.cache.js';
import { EventTypesController } from './event-types.controller.js';
import { EventTypesRefresher } from './event-types.refresher.js';
import { EventTypesRepository } from './event-types.repository.js';
import { EventTypesService } from './event-types.service.js';
import { SamplesRepository } from './samples.repository.js';

/** Registers event types and checks events against them. A process that only stores events does neither. */
@Module({})
export class EventTypesModule {
  static forRole(role: Role): DynamicModule {
    if (!servesApi(role)) return { module: EventTypesModule };
    return {
      module: EventTypesModule,
      imports: [TypeOrmModule.forFeature([EventTypeVersionEntity])],
      controllers: [EventTypesController],
      providers: [
        EventTypesRepository,
        SamplesRepository,
        EventTypes,
        EventTypesRefresher,
        EventTypesService,
      ],
      exports: [EventTypes],
    };
  }
}
