import { Module } from '@nestjs/common';
import { QuestionsModule } from '../questions/questions.module.js';
import { PropertiesController } from './properties.controller.js';
import { PropertiesRepository } from './properties.repository.js';
import { PropertiesService } from './properties.service.js';

/** Which properties events have. */
@Module({
  imports: [QuestionsModule],
  controllers: [PropertiesController],
  providers: [PropertiesRepository, PropertiesService],
})
export class PropertiesModule {}
