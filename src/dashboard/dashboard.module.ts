import { Module } from '@nestjs/common';
import { DashboardController } from './dashboard.controller.js';

/** The dashboard at `/`. It uses only the public API, with the key of its user. For processes that serve the API. */
@Module({ controllers: [DashboardController] })
export class DashboardModule {}
