import { Module } from '@nestjs/common';
import { EventTypesModule } from '../../event-types/event-types.module.js';
import { RejectionsRepositoryModule } from '../rejections-repository.module.js';
import { RetryController } from './retry.controller.js';
import { RetryService } from './retry.service.js';

/** Sends refused events again. For processes that serve the API. */
@Module({
  imports: [EventTypesModule, RejectionsRepositoryModule],
  controllers: [RetryController],
  providers: [RetryService],
})
export class RetryModule {}
