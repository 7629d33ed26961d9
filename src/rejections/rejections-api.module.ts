import { Module } from '@nestjs/common';
import { RejectionsController } from './rejections.controller.js';
import { RejectionsModule } from './rejections.module.js';

/** The routes about refused events. */
@Module({
  imports: [RejectionsModule],
  controllers: [RejectionsController],
})
export class RejectionsApiModule {}
