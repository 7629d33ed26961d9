import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EventTypeVersionEntity } from './event-type-version.entity.js';
import { EventTypes } from './event-types.cache.js';
import { EventTypesController } from './event-types.controller.js';
import { EventTypesRefresher } from './event-types.refresher.js';
import { EventTypesRepository } from './event-types.repository.js';
import { EventTypesService } from './event-types.service.js';
import { SamplesRepository } from './samples.repository.js';

/** The types of events and their schemas. API only: a process that only stores events checks none. */
@Module({
  imports: [TypeOrmModule.forFeature([EventTypeVersionEntity])],
  controllers: [EventTypesController],
  providers: [EventTypesRepository, SamplesRepository, EventTypes, EventTypesRefresher, EventTypesService],
  exports: [EventTypes],
})
export class EventTypesModule {}
