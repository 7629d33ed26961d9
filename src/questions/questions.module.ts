import { Module } from '@nestjs/common';
import { ReplicationStatusModule } from '../replication/replication.module.js';
import { CopiedEventsRepository } from './copied-events.repository.js';
import { EventQuestions } from './event-questions.js';

/** Questions about the copied events, for every feature that asks them. Static, so that Nest makes one instance. */
@Module({
  imports: [ReplicationStatusModule],
  providers: [EventQuestions, CopiedEventsRepository],
  exports: [EventQuestions, CopiedEventsRepository],
})
export class QuestionsModule {}
