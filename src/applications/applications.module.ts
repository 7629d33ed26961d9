import { type DynamicModule, Module } from '@nestjs/common';
import { answers, type Role } from '../config/role.js';
import { ApplicationsController } from './applications.controller.js';
import { ApplicationsRepository } from './applications.repository.js';
import { ApplicationsService } from './applications.service.js';
import { Keys } from './keys.js';
import { RateLimits } from './rate-limits.js';

/** Trusted applications: their keys, and what these may do. */
@Module({})
export class ApplicationsModule {
  static forRole(role: Role): DynamicModule {
    return {
      module: ApplicationsModule,
      controllers: answers(role) ? [ApplicationsController] : [],
      providers: [ApplicationsRepository, ApplicationsService, Keys, RateLimits],
    };
  }
}
