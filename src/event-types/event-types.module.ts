import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EventTypeVersionEntity } from './event-type-version.entity.js';
import { EventTypes } from './event-types.cache.js';
import { EventTypesController } from './event-types.controller.js';
import { EventTypesRefresher } from './event-types.refresher.js';
import { EventTypesRepository } from './event-types.repository.js';
import { EventTypesService } from './event-types.service.js';
import { SamplesRepository } from './samples.repository.js';

/** Registers event types and checks events against them. For processes that serve the API. */
@Module({
  imports: [TypeOrmModule.forFeature([EventTypeVersionEntity])],
  controllers: [EventTypesController],
  providers: [EventTypesRepository, SamplesRepository, EventTypes, EventTypesRefresher, EventTypesService],
  exports: [EventTypes],
})
export class EventTypesModule {}
