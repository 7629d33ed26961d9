import { type DynamicModule, Global, Module } from '@nestjs/common';
import { RedisConnections } from './redis-connections.js';
import { RedisHealth } from './redis-health.js';

/** Connections to one Redis, and its health. Knows nothing of queues. */
@Global()
@Module({})
export class RedisModule {
  static forRoot(url: string): DynamicModule {
    return {
      module: RedisModule,
      providers: [{ provide: RedisConnections, useFactory: () => new RedisConnections(url) }, RedisHealth],
      exports: [RedisConnections, RedisHealth],
    };
  }
}
