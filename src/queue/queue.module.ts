import { BullModule, InjectQueue } from '@nestjs/bull';
import { Global, Module } from '@nestjs/common';
import type { Queue } from 'bull';
import type { Redis } from 'ioredis';
import { RedisConnections } from '../platform/redis/redis-connections.js';
import { Backlog } from './backlog.js';
import { ignoreWorkerNameErrors } from './ignore-worker-name-errors.js';
import { IngestionBuffer } from './ingestion-buffer.js';
import { Producer } from './producer.js';
import { CAPPED_BACKOFF, cappedBackoff, INGESTION_QUEUE, UNLIMITED } from './queue.constants.js';

/**
 * Makes `connect()` of a connection not reject. When Bull 4.16.5 waits for its current jobs, it connects its blocking connection
 * again, which fails while Redis is unavailable, and catches that only once the jobs are finished. The process would end before.
 */
function withQuietConnect(connection: Redis): Redis {
  const connect = connection.connect.bind(connection);
  connection.connect = () => connect().catch(() => undefined);
  return connection;
}

/** Asynchronous ingestion: the Bull queue, the buffer, and the producer that fills it. Knows nothing of events. */
@Global()
@Module({
  imports: [
    BullModule.registerQueueAsync({
      name: INGESTION_QUEUE,
      inject: [RedisConnections],
      useFactory: (connections: RedisConnections) => ({
        createClient: (type) =>
          type === 'client' ? connections.client : withQuietConnect(connections.create(type)),
        prefix: 'the-eye',
        // It needs INFO, which a user may not be allowed to use.
        skipVersionCheck: true,
        settings: {
          // The jobs of a dead worker are taken over within lockDuration + stalledInterval.
          lockDuration: 15_000,
          stalledInterval: 5_000,
          maxStalledCount: UNLIMITED,
          retryProcessDelay: 500,
          backoffStrategies: { [CAPPED_BACKOFF]: cappedBackoff },
        },
      }),
    }),
  ],
  providers: [IngestionBuffer, Backlog, Producer],
  exports: [BullModule, IngestionBuffer, Backlog, Producer],
})
export class QueueModule {
  /** Nest constructs modules before any processor starts. */
  constructor(@InjectQueue(INGESTION_QUEUE) queue: Queue) {
    ignoreWorkerNameErrors(queue);
  }
}
