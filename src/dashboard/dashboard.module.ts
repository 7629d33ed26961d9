import { type DynamicModule, Module } from '@nestjs/common';
import { answers, type Role } from '../config/role.js';
import { DashboardController } from './dashboard.controller.js';

/** The page at `/`, which stands on the API alone: whatever it shows, anybody with a key can ask for. */
@Module({})
export class DashboardModule {
  static forRole(role: Role): DynamicModule {
    return { module: DashboardModule, controllers: answers(role) ? [DashboardController] : [] };
  }
}
