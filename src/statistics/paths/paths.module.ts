import { Module } from '@nestjs/common';
import { QuestionsModule } from '../../questions/questions.module.js';
import { PathsController } from './paths.controller.js';
import { PathsRepository } from './paths.repository.js';
import { PathsService } from './paths.service.js';

/** Finds out what comes next after an event, or before it. For processes that serve the API. */
@Module({
  imports: [QuestionsModule],
  controllers: [PathsController],
  providers: [PathsRepository, PathsService],
})
export class PathsModule {}
