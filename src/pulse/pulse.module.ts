import { type DynamicModule, Global, Module } from '@nestjs/common';
import { answers, type Role } from '../config/role.js';
import { Pulse } from './pulse.js';
import { PulseRecorder } from './pulse.recorder.js';
import { PulseStore } from './pulse-store.js';
import { RatesController } from './rates.controller.js';
import { RatesService } from './rates.service.js';

/** How much happens: counted where it happens, and looked at in all processes together. */
@Global()
@Module({})
export class PulseModule {
  static forRole(role: Role): DynamicModule {
    return {
      module: PulseModule,
      controllers: answers(role) ? [RatesController] : [],
      providers: [Pulse, PulseStore, PulseRecorder, ...(answers(role) ? [RatesService] : [])],
      exports: [Pulse],
    };
  }
}
