import { type DynamicModule, Module } from '@nestjs/common';
import { RejectionsController } from './rejections.controller.js';
import { RejectionsRecorder } from './rejections.recorder.js';
import { RejectionsRepositoryModule } from './rejections-repository.module.js';
import { RejectionsRetention } from './rejections.retention.js';
import { RejectionsService } from './rejections.service.js';

/** Refused events: recorded, counted, listed, and removed when they are old. */
@Module({})
export class RejectionsModule {
  /** Records rejections and lists them. */
  static readonly api: DynamicModule = {
    module: RejectionsModule,
    imports: [RejectionsRepositoryModule],
    controllers: [RejectionsController],
    providers: [RejectionsService, RejectionsRecorder],
    exports: [RejectionsRecorder],
  };

  /** Removes old rejections. */
  static readonly worker: DynamicModule = {
    module: RejectionsModule,
    imports: [RejectionsRepositoryModule],
    providers: [RejectionsRetention],
    exports: [RejectionsRetention],
  };
}
