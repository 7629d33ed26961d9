import { type DynamicModule, Module } from '@nestjs/common';
import { servesApi, type Role, runsWorker } from '../../platform/config/role.js';
import { RedisStream } from './redis-stream.js';
import { StreamController } from './stream.controller.js';
import { StreamPublisher } from './stream.publisher.js';
import { StreamService } from './stream.service.js';

/** Passes stored events from the workers through a Redis stream to subscribers. */
@Module({})
export class StreamModule {
  static forRole(role: Role): DynamicModule {
    return {
      module: StreamModule,
      controllers: servesApi(role) ? [StreamController] : [],
      providers: [
        RedisStream,
        ...(servesApi(role) ? [StreamService] : []),
        ...(runsWorker(role) ? [StreamPublisher] : []),
      ],
      exports: runsWorker(role) ? [StreamPublisher] : [],
    };
  }
}
