import { Module } from '@nestjs/common';
import { QuestionsModule } from '../questions/questions.module.js';
import { QueryController } from './query.controller.js';
import { QueryRepository } from './query.repository.js';
import { QueryService } from './query.service.js';

/** SQL of callers. For processes that serve the API. */
@Module({
  imports: [QuestionsModule],
  controllers: [QueryController],
  providers: [QueryRepository, QueryService],
})
export class QueryModule {}
