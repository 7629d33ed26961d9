import { Controller, Get, Header, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { environment } from '../../platform/config/environment.js';
import { DialectIngestion } from '../ingestion.js';
import { Speaks, Supports } from '../speaks.decorator.js';
import { ACCEPTED_SCHEMA, BATCH_EXAMPLE, RESULTS_SCHEMA, V1_BATCH_EXAMPLE } from './examples.js';
import { resultsOf, type V1Results } from './results.js';
import { configOf, configScriptOf, NO_FLAGS } from './settings.js';
import { POSTHOG } from './posthog.dialect.js';

const LIMITS = `At most ${environment.EVENTS_LIMIT} events and ${environment.BODY_LIMIT} bytes a request, after decompression.`;

const ApiToken = ApiParam({
  name: 'token',
  description: 'A key of scope `ingest`.',
  schema: { type: 'string', example: 'phc_key' },
});

/** Accepts events of PostHog's SDKs, and reports to posthog-js that every other feature is off. */
@Controller()
export class PosthogController {
  constructor(private readonly ingestion: DialectIngestion) {}

  @Post(['batch', 'e', 'i/v0/e', 'capture'])
  @HttpCode(200)
  @Speaks(POSTHOG)
  @ApiOperation({
    summary: "Send PostHog's events",
    description:
      'An object with the events in `batch` or `data`, an array of events, or one event. The key stands in the body. gzip may be ' +
      'announced or not; a form holds the JSON in `data`, also in base64. The response is the same if some of the events are ' +
      `refused: they are among the rejections. ${LIMITS}`,
  })
  @ApiBody({ schema: { type: 'object' }, examples: { batch: { value: BATCH_EXAMPLE } } })
  @ApiOkResponse({ description: 'The events are durable in the queue.', schema: ACCEPTED_SCHEMA })
  async capture(@Req() request: FastifyRequest): Promise<{ status: 1 }> {
    await this.ingestion.accept(request);
    return { status: 1 };
  }

  @Post('i/v1/analytics/events')
  @HttpCode(200)
  @Speaks(POSTHOG)
  @ApiOperation({
    summary: "Send PostHog's events, with a result for each",
    description: `\`drop\` names the reason in \`details\`; the event is among the rejections. ${LIMITS}`,
  })
  @ApiBody({ schema: { type: 'object' }, examples: { batch: { value: V1_BATCH_EXAMPLE } } })
  @ApiOkResponse({ description: 'What became of each event, by its `uuid`.', schema: RESULTS_SCHEMA })
  async captureV1(@Req() request: FastifyRequest): Promise<V1Results> {
    return resultsOf(await this.ingestion.accept(request));
  }

  @Post(['flags', 'decide'])
  @HttpCode(200)
  @Speaks(POSTHOG)
  @ApiOperation({
    summary: "Feature flags for PostHog's SDKs",
    description: 'There are none. Nothing is stored.',
  })
  @ApiBody({
    schema: { type: 'object' },
    examples: { flags: { value: { token: 'phc_key', distinct_id: 'user-1' } } },
  })
  @ApiOkResponse({ schema: { type: 'object', additionalProperties: true } })
  flags(): typeof NO_FLAGS {
    return NO_FLAGS;
  }

  @Get('array/:token/config')
  @Supports(POSTHOG, { path: 'token' })
  @ApiOperation({ summary: 'The configuration of posthog-js', description: 'Everything but events is off.' })
  @ApiToken
  @ApiOkResponse({ schema: { type: 'object', additionalProperties: true } })
  config(@Param('token') token: string): ReturnType<typeof configOf> {
    return configOf(token);
  }

  @Get('array/:token/config.js')
  @Supports(POSTHOG, { path: 'token' })
  @Header('content-type', 'text/javascript; charset=utf-8')
  @ApiOperation({ summary: 'The configuration of posthog-js, as a script' })
  @ApiToken
  @ApiOkResponse({ content: { 'text/javascript': { schema: { type: 'string' } } } })
  configScript(@Param('token') token: string): string {
    return configScriptOf(token);
  }
}
