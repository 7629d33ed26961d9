import { type DynamicModule, Module } from '@nestjs/common';
import { type Role, servesApi } from '../../platform/config/role.js';
import { RatesController } from './rates.controller.js';
import { RatesPublisher } from './rates.publisher.js';
import { RatesService } from './rates.service.js';
import { RatesStore } from './rates.store.js';

/** Events a second: every process publishes its own to Redis, and the API returns the sums. */
@Module({})
export class RatesModule {
  static forRole(role: Role): DynamicModule {
    return {
      module: RatesModule,
      controllers: servesApi(role) ? [RatesController] : [],
      providers: [RatesStore, RatesPublisher, ...(servesApi(role) ? [RatesService] : [])],
    };
  }
}
