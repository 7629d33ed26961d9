import { applyDecorators, Controller, Get, Header, HttpCode, Param, Post, Req } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiExtension, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Allow } from '../../auth/access.decorator.js';
import { environment } from '../../platform/config/environment.js';
import { ApiProblems } from '../../platform/http/api-problems.js';
import { DialectIngestion } from '../ingestion.js';
import { DIALECT_EXTENSION, Speaks } from '../speaks.decorator.js';
import { ACCEPTED_SCHEMA, BATCH_EXAMPLE, RESULTS_SCHEMA, V1_BATCH_EXAMPLE } from './posthog-examples.js';
import { resultsOf, type V1Results } from './posthog-results.js';
import { configOf, configScriptOf, NO_FLAGS } from './posthog-settings.js';
import { POSTHOG, renderError } from './posthog.dialect.js';

const LIMITS = `At most ${environment.EVENTS_LIMIT} events and ${environment.BODY_LIMIT} bytes a request, after decompression.`;

/** For a route that tells settings, and has the key in its path. */
const TellsSettings = (): MethodDecorator =>
  applyDecorators(
    ApiExtension(DIALECT_EXTENSION, POSTHOG.name),
    Allow('ingest', 'handler'),
    RouteConfig({ access: 'ingest', binding: 'handler', keys: { path: 'token' }, renderError }),
  );

const ApiToken = ApiParam({
  name: 'token',
  description: 'A key of scope `ingest`.',
  schema: { type: 'string', example: 'phc_key' },
});

/** Accepts events of PostHog's SDKs, and tells posthog-js that everything else is off. */
@Controller()
@ApiTags(`send: ${POSTHOG.name}`)
export class PosthogController {
  constructor(private readonly ingestion: DialectIngestion) {}

  @ApiProblems(415)
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

  @ApiProblems(415)
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

  @ApiProblems(415)
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
  @TellsSettings()
  @ApiOperation({ summary: 'The configuration of posthog-js', description: 'Everything but events is off.' })
  @ApiToken
  @ApiOkResponse({ schema: { type: 'object', additionalProperties: true } })
  config(@Param('token') token: string): ReturnType<typeof configOf> {
    return configOf(token);
  }

  @Get('array/:token/config.js')
  @TellsSettings()
  @Header('content-type', 'text/javascript; charset=utf-8')
  @ApiOperation({ summary: 'The configuration of posthog-js, as a script' })
  @ApiToken
  @ApiOkResponse({ content: { 'text/javascript': { schema: { type: 'string' } } } })
  configScript(@Param('token') token: string): string {
    return configScriptOf(token);
  }
}
