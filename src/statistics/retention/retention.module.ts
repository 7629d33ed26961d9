import { Module } from '@nestjs/common';
import { QuestionsModule } from '../../questions/questions.module.js';
import { RetentionController } from './retention.controller.js';
import { RetentionRepository } from './retention.repository.js';
import { RetentionService } from './retention.service.js';

/** Counts who returns in later periods. For processes that serve the API. */
@Module({
  imports: [QuestionsModule],
  controllers: [RetentionController],
  providers: [RetentionRepository, RetentionService],
})
export class RetentionModule {}
