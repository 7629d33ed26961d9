import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { type Role, answers } from '../config/role.js';
import { RejectionEntity } from './rejection.entity.js';
import { RejectionsController } from './rejections.controller.js';
import { RejectionsRecorder } from './rejections.recorder.js';
import { RejectionsRepository } from './rejections.repository.js';
import { RejectionsService } from './rejections.service.js';

/** What was accepted and could not be kept: looked at, and tried again. */
@Module({})
export class RejectionsModule {
  static forRole(role: Role): DynamicModule {
    return {
      module: RejectionsModule,
      imports: [TypeOrmModule.forFeature([RejectionEntity])],
      controllers: answers(role) ? [RejectionsController] : [],
      providers: [RejectionsRepository, RejectionsService, RejectionsRecorder],
      exports: [RejectionsRepository, RejectionsRecorder],
    };
  }
}
