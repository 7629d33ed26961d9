import { BullModule } from '@nestjs/bull';
import { type DynamicModule, Global, Module } from '@nestjs/common';
import Bull from 'bull';
import { Backlog } from './backlog.js';
import { BacklogReport } from './backlog-report.js';
import { Producer } from './producer.js';
import { CAPPED_BACKOFF, cappedBackoff, INGESTION_QUEUE, UNLIMITED } from './queue.constants.js';
import { RedisConnections } from '../platform/redis/redis-connections.js';

/**
 * Bull gives the connection that waits for jobs a name, at times behind the first wait. A process that is told to stop
 * meanwhile closes it, and would end with that error, which Bull does not catch.
 */
const bull = Bull.prototype as unknown as { setWorkerName: (this: Bull.Queue) => Promise<unknown> };
const { setWorkerName } = bull;
bull.setWorkerName = function () {
  return setWorkerName.call(this).catch(() => undefined);
};

/** Asynchronous ingestion: Bull, its Redis, and the producer that groups items into jobs. Knows nothing of events. */
@Global()
@Module({})
export class QueueModule {
  static forRoot(): DynamicModule {
    return {
      module: QueueModule,
      imports: [
        BullModule.registerQueueAsync({
          name: INGESTION_QUEUE,
          inject: [RedisConnections],
          useFactory: (connections: RedisConnections) => ({
            createClient: (type) => (type === 'client' ? connections.client : connections.create(type)),
            prefix: 'the-eye',
            settings: {
              // A worker that died is noticed within lockDuration + stalledInterval, and its jobs taken over.
              lockDuration: 15_000,
              stalledInterval: 5_000,
              maxStalledCount: UNLIMITED,
              retryProcessDelay: 500,
              backoffStrategies: { [CAPPED_BACKOFF]: cappedBackoff },
            },
          }),
        }),
      ],
      providers: [Producer, Backlog, BacklogReport],
      exports: [BullModule, Producer, Backlog, BacklogReport],
    };
  }
}
