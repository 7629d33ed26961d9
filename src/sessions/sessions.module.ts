import { Module } from '@nestjs/common';
import { EventsRepositoryModule } from '../events/events-repository.module.js';
import { QuestionsModule } from '../questions/questions.module.js';
import { SessionCountRepository } from './session-count.repository.js';
import { SessionSearchRepository } from './session-search.repository.js';
import { SessionSummaryRepository } from './session-summary.repository.js';
import { SessionsController } from './sessions.controller.js';
import { SessionsService } from './sessions.service.js';

/** Lists sessions and the events of a session. */
@Module({
  imports: [EventsRepositoryModule, QuestionsModule],
  controllers: [SessionsController],
  providers: [SessionSearchRepository, SessionCountRepository, SessionSummaryRepository, SessionsService],
})
export class SessionsModule {}
