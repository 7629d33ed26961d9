import { type DynamicModule, Module } from '@nestjs/common';
import { servesApi, type Role } from '../platform/config/role.js';
import { ApplicationsController } from './applications.controller.js';
import { ApplicationsRepository } from './applications.repository.js';
import { ApplicationsService } from './applications.service.js';
import { ApiKeyCache } from '../auth/api-key.cache.js';
import { RateLimits } from '../auth/rate-limits.js';

/** Trusted applications: their keys, and what these may do. */
@Module({})
export class ApplicationsModule {
  static forRole(role: Role): DynamicModule {
    return {
      module: ApplicationsModule,
      controllers: servesApi(role) ? [ApplicationsController] : [],
      providers: [ApplicationsRepository, ApplicationsService, ApiKeyCache, RateLimits],
    };
  }
}
