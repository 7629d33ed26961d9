import { Module } from '@nestjs/common';
import { QuestionsModule } from '../../questions/questions.module.js';
import { FunnelController } from './funnel.controller.js';
import { FunnelRepository } from './funnel.repository.js';
import { FunnelService } from './funnel.service.js';

/** Counts how many sessions reach each step of a funnel. For processes that serve the API. */
@Module({
  imports: [QuestionsModule],
  controllers: [FunnelController],
  providers: [FunnelRepository, FunnelService],
})
export class FunnelModule {}
