import { Controller, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam, ApiQuery } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { InvalidFieldsError } from '../../platform/errors/domain-error.js';
import { linkTo } from '../../platform/http/links.js';
import { DialectIngestion } from '../ingestion.js';
import { Speaks, Supports } from '../speaks.decorator.js';
import { BATCH, batchDescription, eventDescription, SUCCESS, TRACK } from './examples.js';
import { SEGMENT } from './segment.dialect.js';
import { RUDDERSTACK_SOURCE, segmentSettings } from './settings.js';
import { TYPES } from './translate.js';

/** What its clients take for success: Segment's own body, with exactly this status. */
interface Success {
  readonly success: true;
}

/** Accepts events of Segment's SDKs, and of those that speak its protocol. */
@Controller()
export class SegmentController {
  constructor(private readonly ingestion: DialectIngestion) {}

  @Post(['v1/batch', 'v1/import', 'v1/b', 'beacon/v1/batch'])
  @HttpCode(200)
  @Speaks(SEGMENT)
  @ApiOperation({ summary: "Send a batch of Segment's events", description: batchDescription })
  @ApiBody({ schema: { type: 'object', example: BATCH } })
  @ApiOkResponse({ schema: SUCCESS })
  async batch(@Req() request: FastifyRequest): Promise<Success> {
    await this.ingestion.accept(request);
    return { success: true };
  }

  @Post(TYPES.flatMap((type) => [`v1/${type}`, `v1/${type.charAt(0)}`]))
  @HttpCode(200)
  @Speaks(SEGMENT)
  @ApiOperation({ summary: "Send one of Segment's events", description: eventDescription })
  @ApiBody({ schema: { type: 'object', example: TRACK } })
  @ApiOkResponse({ schema: SUCCESS })
  event(@Req() request: FastifyRequest): Promise<Success> {
    return this.acceptOne(request);
  }

  @Post(['api/s/:type', 'api/s/s2s/:type'])
  @HttpCode(200)
  @Speaks(SEGMENT)
  @ApiOperation({ summary: "Send one of Segment's events by Jitsu's SDK", description: eventDescription })
  @ApiParam({ name: 'type', schema: { type: 'string', example: 'track' } })
  @ApiBody({ schema: { type: 'object', example: TRACK } })
  @ApiOkResponse({ schema: SUCCESS })
  jitsuEvent(@Req() request: FastifyRequest): Promise<Success> {
    return this.acceptOne(request);
  }

  @Get('v1/projects/:key/settings')
  @Supports(SEGMENT, { path: 'key' })
  @ApiOperation({
    summary: "Settings of Segment's browser SDK",
    description:
      'Without them, `@segment/analytics-next` sends nothing. They name this API as the one to send to.',
  })
  @ApiParam({ name: 'key', schema: { type: 'string' }, description: 'A key of scope `ingest`.' })
  @ApiOkResponse({ schema: { type: 'object', additionalProperties: true } })
  settings(@Param('key') key: string, @Req() request: FastifyRequest): object {
    return segmentSettings(key, linkTo(request, '/v1'));
  }

  @Get('sourceConfig')
  @Supports(SEGMENT, { query: ['writeKey'] })
  @ApiOperation({
    summary: "Settings of RudderStack's browser SDK",
    description:
      'Without them, `@rudderstack/analytics-js` sends nothing. The key may be the user name of Basic too.',
  })
  @ApiQuery({ name: 'writeKey', required: false, description: 'A key of scope `ingest`.' })
  @ApiOkResponse({ schema: { type: 'object', additionalProperties: true } })
  sourceConfig(): object {
    return RUDDERSTACK_SOURCE;
  }

  /** The client of a single event learns that it is refused, and drops the event, which is among the rejections. */
  private async acceptOne(request: FastifyRequest): Promise<Success> {
    const results = await this.ingestion.accept(request);
    const [violation] = results.length === 1 ? results.map((result) => result.violation) : [];
    if (violation) throw new InvalidFieldsError(violation.errors);
    return { success: true };
  }
}
