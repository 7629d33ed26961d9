import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { QuestionsModule } from '../questions/questions.module.js';
import { EventEntity } from './event.entity.js';
import { EventSearch } from './event-search.js';
import { EventsRepository } from './events.repository.js';

/** The stored events, for every feature that reads or stores them. Static, so that Nest makes one instance. */
@Module({
  imports: [TypeOrmModule.forFeature([EventEntity]), QuestionsModule],
  providers: [EventsRepository, EventSearch],
  exports: [EventsRepository, EventSearch],
})
export class EventsRepositoryModule {}
