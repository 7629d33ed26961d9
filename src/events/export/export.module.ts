import { Module } from '@nestjs/common';
import { EventsRepositoryModule } from '../events-repository.module.js';
import { ExportController } from './export.controller.js';
import { ExportService } from './export.service.js';

/** Exports events as files. For processes that serve the API. */
@Module({
  imports: [EventsRepositoryModule],
  controllers: [ExportController],
  providers: [ExportService],
})
export class ExportModule {}
