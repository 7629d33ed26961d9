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
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { environment } from '../platform/config/environment.js';
import { Allow } from '../auth/access.decorator.js';
import { ApiProblems } from '../platform/http/api-problems.js';
import { JsonObjectPipe } from '../platform/http/json-object.pipe.js';
import { AllowedParameters } from '../platform/http/allowed-parameters.decorator.js';
import { pageLink } from '../platform/paging/page-link.js';
import { queryPipe } from '../platform/paging/query.pipe.js';
import { Problem } from '../platform/http/problem.js';
import { EXAMPLE_KEY } from './dto/example.js';
import { CheckSchemaDto, ListEventTypesDto, ListVersionsDto, PutEventTypeDto } from './dto/requests.dto.js';
import {
  EventTypePageResponse,
  EventTypeResponse,
  SuggestionResponse,
  TrialResponse,
} from './dto/responses.dto.js';
import type { EventTypeVersion, TypeKey } from './event-types.repository.js';
import { ChangeConflictError, EventTypesService } from './event-types.service.js';
import { SchemaError } from './schema/payload-schema.js';
import { TypeKeyPipe } from './type-key.pipe.js';

const part = (name: keyof TypeKey, description: string): MethodDecorator =>
  ApiParam({
    name,
    description: `${description} Percent-encoded; may hold blanks and slashes.`,
    schema: { type: 'string', minLength: 1, maxLength: environment.TEXT_LIMIT, example: EXAMPLE_KEY[name] },
  });

/** A route about one type. */
const OfType = (): MethodDecorator =>
  applyDecorators(
    part('category', 'First half of the type of an event.'),
    part('name', 'Second half of the type of an event.'),
  );

/** What the payloads of each type of event must look like. */
@ApiTags('event types')
@Controller('event-types')
export class EventTypesController {
  constructor(private readonly eventTypes: EventTypesService) {}

  @Get()
  @Allow('read')
  @ApiOperation({ summary: 'Event types', description: 'Those that exist now, by category and name.' })
  @ApiOkResponse({ type: EventTypePageResponse })
  @ApiProblems(400, 503)
  async list(
    @Query(queryPipe) { limit, after }: ListEventTypesDto,
    @Req() request: FastifyRequest,
  ): Promise<EventTypePageResponse> {
    const place = after === undefined ? undefined : decodePlace(after);
    // One row more than the page tells whether the list goes on.
    const found = await this.eventTypes.list(limit + 1, place);
    return page(request, found, limit, encodePlace);
  }

  @Get(':category/:name')
  @Allow('read')
  @AllowedParameters()
  @OfType()
  @ApiOperation({ summary: 'One event type as it is now' })
  @ApiOkResponse({ type: EventTypeResponse })
  @ApiProblems(400, 404, 503)
  async find(@Param(TypeKeyPipe) key: TypeKey): Promise<EventTypeResponse> {
    const version = await this.eventTypes.find(key);
    if (!version) throw notFound();
    return EventTypeResponse.from(version);
  }

  @Put(':category/:name')
  @Allow('admin')
  @AllowedParameters()
  @OfType()
  @ApiOperation({
    summary: 'Register an event type, or change it',
    description:
      'From the answer on in this process, and within seconds in all others, `data` of each event of this type is held ' +
      'against the schema. What is the same as before makes no new version.',
  })
  @ApiBody({ type: PutEventTypeDto })
  @ApiCreatedResponse({ type: EventTypeResponse, description: 'It is registered.' })
  @ApiOkResponse({ type: EventTypeResponse, description: 'It is changed, or was the same.' })
  @ApiProblems(400, 409, 413, 415, 503)
  async put(
    @Param(TypeKeyPipe) key: TypeKey,
    @Body(new JsonObjectPipe(PutEventTypeDto)) { schema, mode }: PutEventTypeDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<EventTypeResponse> {
    const { outcome, version } = await orProblem(this.eventTypes.put(key, schema, mode, request.caller));
    reply.status(outcome === 'created' ? 201 : 200);
    return EventTypeResponse.from(version);
  }

  @Delete(':category/:name')
  @Allow('admin')
  @AllowedParameters()
  @OfType()
  @HttpCode(204)
  @ApiOperation({
    summary: 'Delete an event type',
    description:
      'Its events are then of an unknown type. What was, and who deleted it, stays among its versions.',
  })
  @ApiNoContentResponse({ description: 'It is deleted.' })
  @ApiProblems(400, 404, 409, 413, 415, 503)
  async delete(@Param(TypeKeyPipe) key: TypeKey, @Req() request: FastifyRequest): Promise<void> {
    if (!(await orProblem(this.eventTypes.delete(key, request.caller)))) throw notFound();
  }

  @Get(':category/:name/versions')
  @Allow('read')
  @OfType()
  @ApiOperation({
    summary: 'All versions of an event type',
    description: 'Newest first: who changed it, when, and to what. A deletion is a version, too.',
  })
  @ApiOkResponse({ type: EventTypePageResponse })
  @ApiProblems(400, 404, 503)
  async versions(
    @Param(TypeKeyPipe) key: TypeKey,
    @Query(queryPipe) { limit, after }: ListVersionsDto,
    @Req() request: FastifyRequest,
  ): Promise<EventTypePageResponse> {
    const found = await this.eventTypes.history(key, limit + 1, after);
    if (found.length === 0 && after === undefined) throw notFound();
    return page(request, found, limit, ({ version }) => String(version));
  }

  @Post(':category/:name/check')
  @Allow('read')
  @AllowedParameters()
  @OfType()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Try a schema',
    description: 'Holds the newest stored events of the type against a schema, before anybody enforces it.',
  })
  @ApiBody({ type: CheckSchemaDto })
  @ApiOkResponse({ type: TrialResponse })
  @ApiProblems(400, 413, 415, 503)
  check(
    @Param(TypeKeyPipe) key: TypeKey,
    @Body(new JsonObjectPipe(CheckSchemaDto)) { schema, limit }: CheckSchemaDto,
  ): Promise<TrialResponse> {
    return orProblem(this.eventTypes.check(key, schema, limit));
  }

  @Get(':category/:name/suggestion')
  @Allow('read')
  @AllowedParameters()
  @OfType()
  @ApiOperation({
    summary: 'Propose a schema',
    description: 'Made from the newest stored events of the type, all of which fit it.',
  })
  @ApiOkResponse({ type: SuggestionResponse })
  @ApiProblems(400, 404, 503)
  async suggest(@Param(TypeKeyPipe) key: TypeKey): Promise<SuggestionResponse> {
    const suggestion = await this.eventTypes.suggest(key);
    if (!suggestion) throw new Problem(404, 'not_found', 'No event of this type is stored.');
    return suggestion;
  }
}

function notFound(): Problem {
  return new Problem(404, 'not_found', 'There is no such event type.');
}

/** What the service throws, as answers. */
async function orProblem<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof SchemaError) throw Problem.invalid(error.errors, 'The schema cannot be used.');
    if (error instanceof ChangeConflictError)
      throw new Problem(409, 'conflict', 'Others changed it at the same moment; try again.');
    throw error;
  }
}

function page(
  request: FastifyRequest,
  found: EventTypeVersion[],
  limit: number,
  place: (last: EventTypeVersion) => string,
): EventTypePageResponse {
  const results = found.slice(0, limit);
  const last = found.length > limit ? results.at(-1) : undefined;
  return {
    next: pageLink(request, last ? place(last) : null, 'after'),
    results: results.map((version) => EventTypeResponse.from(version)),
  };
}

function encodePlace({ category, name }: TypeKey): string {
  return Buffer.from(JSON.stringify([category, name])).toString('base64url');
}

/** @throws Problem 400 */
function decodePlace(place: string): TypeKey {
  try {
    const [category, name, ...more] = JSON.parse(Buffer.from(place, 'base64url').toString()) as unknown[];
    const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0');
    if (isText(category) && isText(name) && more.length === 0) return { category, name };
  } catch {
    // Not JSON, or no array.
  }
  throw Problem.invalid(
    { after: ['This is not a place in the list that The Eye gave out.'] },
    'Some parameters are not as they must be.',
  );
}
