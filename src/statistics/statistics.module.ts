import { Module } from '@nestjs/common';
import { QuestionsModule } from '../questions/questions.module.js';
import { EventCountsRepository } from './measures/event-counts.repository.js';
import { EventMeasuresRepository } from './measures/event-measures.repository.js';
import { EventMeasuresService } from './measures/event-measures.service.js';
import { SessionBucketsRepository } from './measures/session-buckets.repository.js';
import { StatisticsController } from './statistics.controller.js';
import { TopController } from './top/top.controller.js';
import { TopRepository } from './top/top.repository.js';
import { TopService } from './top/top.service.js';
import { PropertyValuesRepository } from './top/property-values.repository.js';

/** Counts and measures events by time and by group, and ranks groups. For processes that serve the API. */
@Module({
  imports: [QuestionsModule],
  controllers: [StatisticsController, TopController],
  providers: [
    EventCountsRepository,
    EventMeasuresRepository,
    EventMeasuresService,
    PropertyValuesRepository,
    SessionBucketsRepository,
    TopRepository,
    TopService,
  ],
})
export class StatisticsModule {}
