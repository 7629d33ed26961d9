import { Module } from '@nestjs/common';
import { QuestionsModule } from '../../questions/questions.module.js';
import { PropertyValuesController } from './property-values.controller.js';
import { PropertyValuesRepository } from './property-values.repository.js';
import { PropertyValuesService } from './property-values.service.js';

/** Ranks the values of properties. */
@Module({
  imports: [QuestionsModule],
  controllers: [PropertyValuesController],
  providers: [PropertyValuesRepository, PropertyValuesService],
})
export class PropertyValuesModule {}
