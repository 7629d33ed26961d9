import { type DynamicModule, Module } from '@nestjs/common';
import { RedisStream } from './redis-stream.js';
import { StreamController } from './stream.controller.js';
import { StreamPublisher } from './stream.publisher.js';
import { StreamService } from './stream.service.js';

/** Passes stored events from the workers through a Redis stream to subscribers. */
@Module({})
export class StreamModule {
  /** Serves subscribers. */
  static readonly api: DynamicModule = {
    module: StreamModule,
    controllers: [StreamController],
    providers: [RedisStream, StreamService],
  };

  /** Publishes what a worker has stored. */
  static readonly worker: DynamicModule = {
    module: StreamModule,
    providers: [RedisStream, StreamPublisher],
    exports: [StreamPublisher],
  };
}
