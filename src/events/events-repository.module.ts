import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EventEntity } from './event.entity.js';
import { EventsRepository } from './events.repository.js';

/** The events in PostgreSQL, for every feature that reads or stores them. Static, so that Nest makes one instance. */
@Module({
  imports: [TypeOrmModule.forFeature([EventEntity])],
  providers: [EventsRepository],
  exports: [EventsRepository],
})
export class EventsRepositoryModule {}
