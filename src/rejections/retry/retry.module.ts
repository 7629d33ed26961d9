import { Module } from '@nestjs/common';
import { DialectsModule } from '../../dialects/dialects.module.js';
import { EventTypesModule } from '../../event-types/event-types.module.js';
import { EventLimits } from '../../events/event-limits.js';
import { RejectionsRepositoryModule } from '../rejections-repository.module.js';
import { RetryController } from './retry.controller.js';
import { RetryService } from './retry.service.js';

/** Sends refused events again. For processes that serve the API. */
@Module({
  imports: [EventTypesModule, RejectionsRepositoryModule, DialectsModule],
  controllers: [RetryController],
  providers: [EventLimits, RetryService],
})
export class RetryModule {}
