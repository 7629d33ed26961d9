import { Module } from '@nestjs/common';
import { QuestionsModule } from '../../questions/questions.module.js';
import { SessionStatisticsController } from './session-statistics.controller.js';
import { SessionStatisticsRepository } from './session-statistics.repository.js';
import { SessionStatisticsService } from './session-statistics.service.js';

/** Measures sessions by time and by group. */
@Module({
  imports: [QuestionsModule],
  controllers: [SessionStatisticsController],
  providers: [SessionStatisticsRepository, SessionStatisticsService],
})
export class SessionStatisticsModule {}
