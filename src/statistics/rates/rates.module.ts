import { type DynamicModule, Global, Module } from '@nestjs/common';
import { servesApi, type Role } from '../../platform/config/role.js';
import { EventRates } from './event-rates.js';
import { RatesRecorder } from './rates.recorder.js';
import { RatesStore } from './rates.store.js';
import { RatesController } from './rates.controller.js';
import { RatesService } from './rates.service.js';

/** How much happens: counted where it happens, and looked at in all processes together. */
@Global()
@Module({})
export class RatesModule {
  static forRole(role: Role): DynamicModule {
    return {
      module: RatesModule,
      controllers: servesApi(role) ? [RatesController] : [],
      providers: [EventRates, RatesStore, RatesRecorder, ...(servesApi(role) ? [RatesService] : [])],
      exports: [EventRates],
    };
  }
}
