import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOkResponse, ApiOperation, ApiProduces } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { environment } from '../../platform/config/environment.js';
import { DialectIngestion } from '../ingestion.js';
import { Speaks } from '../speaks.decorator.js';
import { EXAMPLE_REQUEST, EXAMPLE_RESPONSE } from './examples.js';
import { encodeExportResponse, type ExportLogsResponse, toExportResponse } from './export-response.js';
import { MAX_RECORDS } from './limits.js';
import { isProtobuf, PROTOBUF_TYPE } from './media-type.js';
import { OPENTELEMETRY } from './opentelemetry.dialect.js';

/** Accepts the log records of OpenTelemetry's exporters and collectors that are events. */
@Controller()
export class OpenTelemetryController {
  constructor(private readonly ingestion: DialectIngestion) {}

  // Above Speaks, whose content type they replace.
  @ApiConsumes(PROTOBUF_TYPE, 'application/json')
  @Post('v1/logs')
  @HttpCode(200)
  @Speaks(OPENTELEMETRY)
  @ApiProduces('application/json', PROTOBUF_TYPE)
  @ApiOperation({
    summary: "Send OpenTelemetry's events",
    description:
      'Log records over OTLP/HTTP, in Protobuf or JSON. Those with an event name (`eventName`, or the attribute ' +
      `\`event.name\`) become events; the others are counted and reported. At most ${MAX_RECORDS.toLocaleString('en')} records and ` +
      `${environment.BODY_LIMIT} bytes a request. The response has the encoding of the request, and comes when the events are ` +
      'durable in the queue.',
  })
  @ApiBody({
    schema: { type: 'object', properties: { resourceLogs: { type: 'array', items: { type: 'object' } } } },
    examples: { event: { summary: 'One event', value: EXAMPLE_REQUEST } },
  })
  @ApiOkResponse({
    description: 'The result: `partialSuccess` says how many records were not accepted, and why.',
    schema: {
      type: 'object',
      properties: {
        partialSuccess: {
          type: 'object',
          properties: {
            rejectedLogRecords: { type: 'string', pattern: '^[0-9]+$' },
            errorMessage: { type: 'string' },
          },
        },
      },
      example: EXAMPLE_RESPONSE,
    },
  })
  async logs(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ExportLogsResponse | Buffer> {
    const response = toExportResponse(await this.ingestion.accept(request), request.message?.skipped ?? 0);
    if (!isProtobuf(request)) return response;
    reply.header('content-type', PROTOBUF_TYPE);
    return encodeExportResponse(response);
  }
}
