import { type DynamicModule, Module } from '@nestjs/common';
import { servesApi, type Role } from '../platform/config/role.js';
import { DashboardController } from './dashboard.controller.js';

/** The page at `/`, which stands on the API alone: whatever it shows, anybody with a key can ask for. */
@Module({})
export class DashboardModule {
  static forRole(role: Role): DynamicModule {
    return { module: DashboardModule, controllers: servesApi(role) ? [DashboardController] : [] };
  }
}
