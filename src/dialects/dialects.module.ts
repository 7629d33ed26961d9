import { Module } from '@nestjs/common';
import { EventTypesModule } from '../event-types/event-types.module.js';
import { EventsModule } from '../events/events.module.js';
import { RejectionsModule } from '../rejections/rejections.module.js';
import { ArrivalTimes } from './arrival-times.js';
import { CloudEventsController } from './cloudevents/cloudevents.controller.js';
import { DialectIngestion } from './ingestion.js';
import { OpenTelemetryController } from './opentelemetry/opentelemetry.controller.js';
import { PosthogController } from './posthog/posthog.controller.js';
import { SegmentController } from './segment/segment.controller.js';
import { SnowplowController } from './snowplow/snowplow.controller.js';

/** The protocols of other systems: their controllers, and the way from a request in one of them to the queue. */
@Module({
  imports: [EventsModule.api, EventTypesModule, RejectionsModule.api],
  controllers: [
    CloudEventsController,
    SegmentController,
    OpenTelemetryController,
    SnowplowController,
    PosthogController,
  ],
  providers: [ArrivalTimes, DialectIngestion],
  exports: [ArrivalTimes],
})
export class DialectsModule {}
