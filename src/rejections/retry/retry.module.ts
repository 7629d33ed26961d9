import { Module } from '@nestjs/common';
import { EventTypesModule } from '../../event-types/event-types.module.js';
import { RejectionsModule } from '../rejections.module.js';
import { RetryController } from './retry.controller.js';
import { RetryService } from './retry.service.js';

/** Sends refused events again. API only. */
@Module({
  imports: [EventTypesModule, RejectionsModule],
  controllers: [RetryController],
  providers: [RetryService],
})
export class RetryModule {}
