import { Module } from '@nestjs/common';
import { EventTypes } from './event-types.registry.js';

/** What the payload of each type of event must look like. */
@Module({ providers: [EventTypes], exports: [EventTypes] })
export class EventTypesModule {}
