import { Controller, Get, Header, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiQuery } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { environment } from '../../platform/config/environment.js';
import { DialectIngestion } from '../ingestion.js';
import { Speaks } from '../speaks.decorator.js';
import { SNOWPLOW } from './snowplow.dialect.js';

/** A transparent GIF of one pixel. */
const PIXEL = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');

const EXAMPLE_ITEM = {
  e: 'se',
  eid: 'ed00aea6-4d56-4d9d-a72d-d6d41a2b6a4c',
  aid: 'shop',
  p: 'web',
  tv: 'js-4.10.1',
  dtm: '1609491991243',
  sid: 'e2085be5-9137-4e4e-80b5-f1ffddc25423',
  se_ca: 'cart',
  se_ac: 'add',
  se_la: 'red shoes',
};

const EXAMPLE_BODY = {
  schema: 'iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4',
  data: [EXAMPLE_ITEM],
};

const parameter = (name: keyof typeof EXAMPLE_ITEM, description: string): MethodDecorator =>
  ApiQuery({ name, required: false, description, schema: { type: 'string', example: EXAMPLE_ITEM[name] } });

/** Accepts events of Snowplow's trackers. */
@Controller()
export class SnowplowController {
  constructor(private readonly ingestion: DialectIngestion) {}

  @Post('com.snowplowanalytics.snowplow/tp2')
  @HttpCode(200)
  @Header('content-type', 'text/plain; charset=utf-8')
  @Speaks(SNOWPLOW)
  @ApiOperation({
    summary: "Send events of Snowplow's trackers",
    description:
      `At most ${environment.EVENTS_LIMIT} events and ${environment.BODY_LIMIT} bytes a request. The key may stand in \`aid\`. The ` +
      'response is the same if some of the events are refused: they are among the rejections. `422` where other routes respond ' +
      '`413` or `415`, because trackers repeat those for ever.',
  })
  @ApiBody({
    schema: {
      type: 'object',
      properties: { schema: { type: 'string' }, data: { type: 'array', items: { type: 'object' } } },
      required: ['data'],
    },
    examples: { structured: { summary: 'A structured event', value: EXAMPLE_BODY } },
  })
  @ApiQuery({
    name: 'key',
    required: false,
    description: 'A key of scope `ingest`, if it stands neither in `aid` nor in a header.',
  })
  @ApiOkResponse({
    description: 'The events are durable in the queue.',
    content: { 'text/plain': { schema: { type: 'string' }, example: 'ok' } },
  })
  async post(@Req() request: FastifyRequest): Promise<string> {
    await this.ingestion.accept(request);
    return 'ok';
  }

  @Get('i')
  @Header('content-type', 'image/gif')
  // Pages of other origins load it as an image.
  @Header('cross-origin-resource-policy', 'cross-origin')
  @Speaks(SNOWPLOW, { query: ['aid'], isRequired: true })
  @ApiOperation({
    summary: "Send one event of Snowplow's trackers as an image",
    description:
      'The parameters are the members of the event. A key is needed even while authentication is off, because every page can ' +
      'load an image.',
  })
  @ApiQuery({
    name: 'key',
    required: false,
    description: 'A key of scope `ingest`, if it does not stand in `aid`.',
  })
  @parameter('e', 'The type of the event: `pv`, `pp`, `se`, `ue`, `tr` or `ti`.')
  @parameter('eid', 'The id of the event.')
  @parameter('aid', 'The id of the application, or a key of scope `ingest`.')
  @parameter('dtm', 'When it happened, in milliseconds since 1970.')
  @parameter('sid', 'The session.')
  @parameter('se_ca', 'The category of a structured event.')
  @parameter('se_ac', 'The action of a structured event.')
  @ApiOkResponse({
    description: 'The event is durable in the queue, or among the rejections.',
    content: { 'image/gif': { schema: { type: 'string', format: 'binary' } } },
  })
  async pixel(@Req() request: FastifyRequest): Promise<Buffer> {
    // HEAD must change nothing.
    if (request.method === 'GET') await this.ingestion.accept(request);
    return PIXEL;
  }
}
