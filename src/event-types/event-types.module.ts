import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { QuestionsModule } from '../questions/questions.module.js';
import { ApplicationLimits } from './application-limits.js';
import { ApplicationLimitsRepository } from './application-limits.repository.js';
import { ApplicationPipe } from './application.pipe.js';
import { EventTypeVersionEntity } from './event-type-version.entity.js';
import { EventTypes } from './event-types.cache.js';
import { EventTypesController } from './event-types.controller.js';
import { EventTypesRefresher } from './event-types.refresher.js';
import { EventTypesRepository } from './event-types.repository.js';
import { EventTypesService } from './event-types.service.js';
import { SamplesRepository } from './samples.repository.js';
import { SchemaCompiler } from './schema/schema-compiler.js';
import { TypeLimit } from './type-limit.js';

/** Registers event types, checks events against them, and limits how many an application uses. For processes that serve the API. */
@Module({
  imports: [TypeOrmModule.forFeature([EventTypeVersionEntity]), QuestionsModule],
  controllers: [EventTypesController],
  providers: [
    EventTypesRepository,
    SamplesRepository,
    SchemaCompiler,
    EventTypes,
    EventTypesRefresher,
    EventTypesService,
    ApplicationLimitsRepository,
    ApplicationLimits,
    ApplicationPipe,
    TypeLimit,
  ],
  exports: [EventTypes, ApplicationLimits, TypeLimit],
})
export class EventTypesModule {}
