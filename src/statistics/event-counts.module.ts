import { Module } from '@nestjs/common';
import { EventCountsRepository } from './event-counts.repository.js';

/** The counts of events in PostgreSQL, for every feature that reads them. Static, so that Nest makes one instance. */
@Module({
  providers: [EventCountsRepository],
  exports: [EventCountsRepository],
})
export class EventCountsModule {}
