import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { RejectionEntity } from './rejection.entity.js';
import { RejectionsRecorder } from './rejections.recorder.js';
import { RejectionsRepository } from './rejections.repository.js';
import { RejectionsService } from './rejections.service.js';

/** Refused events: recorded, counted, listed. Every process records them; RejectionsApiModule adds the routes. */
@Module({
  imports: [TypeOrmModule.forFeature([RejectionEntity])],
  providers: [RejectionsRepository, RejectionsService, RejectionsRecorder],
  exports: [RejectionsRepository, RejectionsService, RejectionsRecorder],
})
export class RejectionsModule {}
