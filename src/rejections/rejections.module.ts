import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { servesApi, type Role, runsWorker } from '../platform/config/role.js';
import { RejectionEntity } from './rejection.entity.js';
import { RejectionsController } from './rejections.controller.js';
import { RejectionsRecorder } from './rejections.recorder.js';
import { RejectionsRetention } from './rejections.retention.js';
import { RejectionsRepository } from './rejections.repository.js';
import { RejectionsService } from './rejections.service.js';

/** What was refused: noted, counted, looked at, and removed in time. */
@Module({})
export class RejectionsModule {
  static forRole(role: Role): DynamicModule {
    return {
      module: RejectionsModule,
      imports: [TypeOrmModule.forFeature([RejectionEntity])],
      controllers: servesApi(role) ? [RejectionsController] : [],
      providers: [
        RejectionsRepository,
        RejectionsService,
        RejectionsRecorder,
        ...(runsWorker(role) ? [RejectionsRetention] : []),
      ],
      exports: [RejectionsRepository, RejectionsService, RejectionsRecorder],
    };
  }
}
