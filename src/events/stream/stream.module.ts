import { type DynamicModule, Module } from '@nestjs/common';
import { servesApi, type Role, runsWorker } from '../../platform/config/role.js';
import { StreamController } from './stream.controller.js';
import { EventStream } from './redis-stream.js';
import { StreamPublisher } from './stream.publisher.js';
import { StreamService } from './stream.service.js';

/** Events as they are stored: from the workers, through Redis, to those who watch. */
@Module({})
export class StreamModule {
  static forRole(role: Role): DynamicModule {
    return {
      module: StreamModule,
      controllers: servesApi(role) ? [StreamController] : [],
      providers: [
        EventStream,
        ...(servesApi(role) ? [StreamService] : []),
        ...(runsWorker(role) ? [StreamPublisher] : []),
      ],
      exports: runsWorker(role) ? [StreamPublisher] : [],
    };
  }
}
