import { type DynamicModule, Module } from '@nestjs/common';
import { RatesController } from './rates.controller.js';
import { RatesPublisher } from './rates.publisher.js';
import { RatesService } from './rates.service.js';
import { RatesStore } from './rates.store.js';

/** Events a second: every process publishes its own to Redis, and the API returns the sums. */
@Module({})
export class RatesModule {
  /** Publishes the counts of this process. */
  static readonly publisher: DynamicModule = {
    module: RatesModule,
    providers: [RatesStore, RatesPublisher],
    exports: [RatesStore],
  };

  /** Reads the sums of all processes. */
  static readonly api: DynamicModule = {
    module: RatesModule,
    imports: [RatesModule.publisher],
    controllers: [RatesController],
    providers: [RatesService],
  };
}
