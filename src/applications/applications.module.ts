import { type DynamicModule, Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { servesApi, type Role } from '../platform/config/role.js';
import { ApplicationsController } from './applications.controller.js';
import { ApplicationsRepository } from './applications.repository.js';
import { ApplicationsService } from './applications.service.js';

/** The API for trusted applications and their keys. */
@Module({})
export class ApplicationsModule {
  static forRole(role: Role): DynamicModule {
    return {
      module: ApplicationsModule,
      imports: [AuthModule],
      controllers: servesApi(role) ? [ApplicationsController] : [],
      providers: [ApplicationsRepository, ApplicationsService],
    };
  }
}
