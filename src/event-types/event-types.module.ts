import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { servesApi, type Role } from '../platform/config/role.js';
import { EventTypeVersionEntity } from './event-type-version.entity.js';
import { EventTypesController } from './event-types.controller.js';
import { EventTypesFeed } from './event-types.feed.js';
import { EventTypes } from './event-types.registry.js';
import { EventTypesRepository } from './event-types.repository.js';
import { EventTypesService } from './event-types.service.js';
import { SamplesRepository } from './samples.repository.js';

/** What the payload of each type of event must look like. A process that only stores needs none of it. */
@Module({})
export class EventTypesModule {
  static forRole(role: Role): DynamicModule {
    if (!servesApi(role)) return { module: EventTypesModule };
    return {
      module: EventTypesModule,
      imports: [TypeOrmModule.forFeature([EventTypeVersionEntity])],
      controllers: [EventTypesController],
      providers: [EventTypesRepository, SamplesRepository, EventTypes, EventTypesFeed, EventTypesService],
      exports: [EventTypes],
    };
  }
}
