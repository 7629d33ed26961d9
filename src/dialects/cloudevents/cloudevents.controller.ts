import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { RouteConstraints } from '@nestjs/platform-fastify';
import { ApiExcludeEndpoint } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { QueuedBatchResponse } from '../../events/dto/responses.dto.js';
import { DomainError, InvalidFieldsError } from '../../platform/errors/domain-error.js';
import { AllowedParameters } from '../../platform/http/allowed-parameters.decorator.js';
import { DialectIngestion } from '../ingestion.js';
import { Speaks } from '../speaks.decorator.js';
import { CLOUDEVENTS } from './cloudevents.dialect.js';
import { CLOUDEVENTS_PROTOCOL } from './protocol-constraint.js';

/** Accepts CloudEvents on the path of The Eye's own events. */
@Controller('events')
export class CloudEventsController {
  constructor(private readonly ingestion: DialectIngestion) {}

  @Post()
  @HttpCode(202)
  @RouteConstraints({ protocol: CLOUDEVENTS_PROTOCOL })
  @Speaks(CLOUDEVENTS)
  @AllowedParameters('key')
  // It is described as a part of the operation that has the same path.
  @ApiExcludeEndpoint()
  async create(@Req() request: FastifyRequest): Promise<QueuedBatchResponse> {
    const results = await this.ingestion.accept(request);
    const rejected = results.flatMap(({ violation }, index) =>
      violation ? [{ index, errors: violation.errors }] : [],
    );
    const ids = results.flatMap(({ eventId }) => eventId ?? []);
    const accepted = ids.length;
    const [first] = rejected;
    if (accepted > 0 || !first) return { accepted, rejected, ids };
    // A sender must not take it for delivered.
    if (results.length === 1) throw new InvalidFieldsError(first.errors, 'The event is invalid.');
    throw new DomainError('invalid', 'invalid', 'All events were refused.', {
      details: { accepted, rejected, ids },
    });
  }
}
