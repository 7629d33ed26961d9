import { type DynamicModule, Module } from '@nestjs/common';
import { answers, type Role, stores } from '../config/role.js';
import { LiveController } from './live.controller.js';
import { LiveLog } from './live-log.js';
import { LivePublisher } from './live.publisher.js';
import { LiveService } from './live.service.js';

/** Events as they are stored: from the workers, through Redis, to those who watch. */
@Module({})
export class LiveModule {
  static forRole(role: Role): DynamicModule {
    return {
      module: LiveModule,
      controllers: answers(role) ? [LiveController] : [],
      providers: [LiveLog, ...(answers(role) ? [LiveService] : []), ...(stores(role) ? [LivePublisher] : [])],
      exports: stores(role) ? [LivePublisher] : [],
    };
  }
}
