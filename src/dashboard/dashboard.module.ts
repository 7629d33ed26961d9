import { type DynamicModule, Module } from '@nestjs/common';
import { servesApi, type Role } from '../platform/config/role.js';
import { DashboardController } from './dashboard.controller.js';

/** The dashboard at `/`. It uses only the public API, with the key of its user. */
@Module({})
export class DashboardModule {
  static forRole(role: Role): DynamicModule {
    return { module: DashboardModule, controllers: servesApi(role) ? [DashboardController] : [] };
  }
}
