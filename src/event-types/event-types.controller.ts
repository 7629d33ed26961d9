import {
  applyDecorators,
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Post,
  Put,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import {
  ApiBody,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiQuery,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { environment } from '../platform/config/environment.js';
import { Allow } from '../auth/access.decorator.js';
import { ClickHouseQuestion, PostgresQuestion } from '../auth/question.decorator.js';
import { ApiProblems } from '../platform/http/api-problems.js';
import { JsonObjectPipe } from '../platform/http/json-object.pipe.js';
import { AllowedParameters } from '../platform/http/allowed-parameters.decorator.js';
import { pageLink } from '../platform/paging/page-link.js';
import { queryPipe } from '../platform/paging/query.pipe.js';
import { OfApplication } from './application.pipe.js';
import { EXAMPLE_KEY } from './dto/example.js';
import {
  APPLICATION_DESCRIPTION,
  CheckSchemaDto,
  ListEventTypesDto,
  ListVersionsDto,
  PutEventTypeDto,
} from './dto/requests.dto.js';
import {
  EventTypePageResponse,
  EventTypeResponse,
  SuggestionResponse,
  TrialResponse,
} from './dto/responses.dto.js';
import type { TypeKey } from './event-types.repository.js';
import { EventTypesService, type VersionPage } from './event-types.service.js';
import { TypeKeyPipe } from './type-key.pipe.js';

const pathParameter = (name: keyof TypeKey, description: string): MethodDecorator =>
  ApiParam({
    name,
    description: `${description} Percent-encoded; may contain spaces and slashes. If it is \`.\` or \`..\`, send \`_\` here, and the parameter \`${name}\`.`,
    schema: { type: 'string', minLength: 1, maxLength: environment.TEXT_LIMIT, example: EXAMPLE_KEY[name] },
  });

const APPLICATION_PARAMETER = { name: 'application', required: false, description: APPLICATION_DESCRIPTION };

/** Documents the path of a route about one type. */
const OfType = (): MethodDecorator =>
  applyDecorators(
    pathParameter('category', 'The category of the type.'),
    pathParameter('name', 'The name of the type.'),
  );

/** Registers event types, each with a schema for the payloads of its events. */
@ApiTags('event types')
@Controller('event-types')
export class EventTypesController {
  constructor(private readonly eventTypes: EventTypesService) {}

  @Get()
  @Allow('read', 'parameter')
  @PostgresQuestion()
  @ApiOperation({
    summary: 'List event types',
    description: 'The current types of an application, ordered by category and name.',
  })
  @ApiOkResponse({ type: EventTypePageResponse })
  @ApiProblems(400, 404, 503)
  async list(
    @OfApplication() application: string,
    @Query(queryPipe) { limit, after }: ListEventTypesDto,
    @Req() request: FastifyRequest,
  ): Promise<EventTypePageResponse> {
    return toResponse(request, await this.eventTypes.list(application, limit, after));
  }

  @Get(':category/:name')
  @Allow('read', 'parameter')
  @PostgresQuestion()
  @AllowedParameters('application')
  @ApiQuery(APPLICATION_PARAMETER)
  @OfType()
  @ApiOperation({ summary: 'Get an event type' })
  @ApiOkResponse({ type: EventTypeResponse })
  @ApiProblems(400, 404, 503)
  async find(
    @OfApplication() application: string,
    @Param(TypeKeyPipe) key: TypeKey,
  ): Promise<EventTypeResponse> {
    return EventTypeResponse.from(await this.eventTypes.find({ application, ...key }));
  }

  @Put(':category/:name')
  @Allow('admin', 'parameter')
  @AllowedParameters('application')
  @ApiQuery(APPLICATION_PARAMETER)
  @OfType()
  @ApiOperation({
    summary: 'Register or change an event type',
    description:
      'This process checks `data` of each event of this type of the application against the schema as soon as it has responded, all others ' +
      'within seconds. A request that changes nothing makes no new version.',
  })
  @ApiBody({ type: PutEventTypeDto })
  @ApiCreatedResponse({ type: EventTypeResponse, description: 'The type was registered.' })
  @ApiOkResponse({ type: EventTypeResponse, description: 'The type was changed, or nothing changed.' })
  @ApiProblems(400, 404, 409, 413, 415, 503)
  async put(
    @OfApplication() application: string,
    @Param(TypeKeyPipe) key: TypeKey,
    @Body(new JsonObjectPipe(PutEventTypeDto)) { schema, mode }: PutEventTypeDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<EventTypeResponse> {
    const { outcome, version } = await this.eventTypes.put(
      { application, ...key },
      schema,
      mode,
      request.caller,
    );
    reply.status(outcome === 'created' ? 201 : 200);
    return EventTypeResponse.from(version);
  }

  @Delete(':category/:name')
  @Allow('admin', 'parameter')
  @AllowedParameters('application')
  @ApiQuery(APPLICATION_PARAMETER)
  @OfType()
  @HttpCode(204)
  @ApiOperation({
    summary: 'Delete an event type',
    description:
      'Its events then have an unknown type. Its versions stay, and the last one says who deleted it.',
  })
  @ApiNoContentResponse({ description: 'The type was deleted.' })
  @ApiProblems(400, 404, 409, 413, 415, 503)
  delete(
    @OfApplication() application: string,
    @Param(TypeKeyPipe) key: TypeKey,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    return this.eventTypes.delete({ application, ...key }, request.caller);
  }

  @Get(':category/:name/versions')
  @Allow('read', 'parameter')
  @PostgresQuestion()
  @OfType()
  @ApiOperation({
    summary: 'List the versions of an event type',
    description: 'Newest first, each with who made the change and when. A deletion is a version, too.',
  })
  @ApiOkResponse({ type: EventTypePageResponse })
  @ApiProblems(400, 404, 503)
  async versions(
    @OfApplication() application: string,
    @Param(TypeKeyPipe) key: TypeKey,
    @Query(queryPipe) { limit, after }: ListVersionsDto,
    @Req() request: FastifyRequest,
  ): Promise<EventTypePageResponse> {
    return toResponse(request, await this.eventTypes.history({ application, ...key }, limit, after));
  }

  @Post(':category/:name/check')
  @Allow('read', 'parameter')
  @ClickHouseQuestion()
  @AllowedParameters('application')
  @ApiQuery(APPLICATION_PARAMETER)
  @OfType()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Try a schema',
    description:
      'Checks the newest stored events of the type against a schema, before it is registered. ClickHouse finds them.',
  })
  @ApiBody({ type: CheckSchemaDto })
  @ApiOkResponse({ type: TrialResponse })
  @ApiProblems(400, 404, 413, 415, 503)
  check(
    @OfApplication() application: string,
    @Param(TypeKeyPipe) key: TypeKey,
    @Body(new JsonObjectPipe(CheckSchemaDto)) { schema, limit }: CheckSchemaDto,
  ): Promise<TrialResponse> {
    return this.eventTypes.check({ application, ...key }, schema, limit);
  }

  @Get(':category/:name/suggestion')
  @Allow('read', 'parameter')
  @ClickHouseQuestion()
  @AllowedParameters('application')
  @ApiQuery(APPLICATION_PARAMETER)
  @OfType()
  @ApiOperation({
    summary: 'Suggest a schema',
    description:
      'Derived from the newest stored events of the type, all of which match it. ClickHouse finds them.',
  })
  @ApiOkResponse({ type: SuggestionResponse })
  @ApiProblems(400, 404, 503)
  suggest(
    @OfApplication() application: string,
    @Param(TypeKeyPipe) key: TypeKey,
  ): Promise<SuggestionResponse> {
    return this.eventTypes.suggest({ application, ...key });
  }
}

function toResponse(request: FastifyRequest, { versions, next }: VersionPage): EventTypePageResponse {
  return {
    next: pageLink(request, next, 'after'),
    results: versions.map((version) => EventTypeResponse.from(version)),
  };
}
