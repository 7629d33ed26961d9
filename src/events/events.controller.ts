import { Controller, Get, Header, Headers, Param, Post, Query, Req, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBody,
  ApiConsumes,
  ApiCreatedResponse,
  ApiExtraModels,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiQuery,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { environment } from '../platform/config/environment.js';
import { Allow, VisibleApplication } from '../auth/access.decorator.js';
import { EitherQuestion, PostgresQuestion } from '../auth/question.decorator.js';
import { filterPipe } from '../platform/filters/filter.pipe.js';
import { ApiFilters } from '../platform/filters/filtered.dto.js';
import { ApiProblems } from '../platform/http/api-problems.js';
import { CONTENT_CODINGS } from '../platform/http/encoding/content-codings.js';
import { EVENT_MEDIA_TYPES, JSON_CONTENT_TYPE } from '../platform/http/media-types.js';
import { AllowedParameters } from '../platform/http/allowed-parameters.decorator.js';
import { locationOf } from '../platform/http/links.js';
import { toStoredEvent } from '../platform/model/event.js';
import { preferredWait } from '../platform/http/prefer-header.js';
import { MAX_PAGE_BYTES } from '../platform/paging/bounded-slice.js';
import { toPageResponse } from '../platform/paging/page-response.js';
import { CreateEventDto } from './dto/create-event.dto.js';
import { EXAMPLE, EXAMPLE_STORED } from './dto/example.js';
import { ListEventsDto } from './dto/list-events.dto.js';
import {
  EventPageResponse,
  EventResponse,
  QueuedBatchResponse,
  QueuedEventResponse,
} from './dto/responses.dto.js';
import { EventLimitsPipe } from './event-limits.pipe.js';
import { engineFor } from './event-search.js';
import { EventsPipe, SubmittedEvents } from './events.pipe.js';
import { type AcceptResult, EventsService } from './events.service.js';
import type { Submission } from './submission.js';

const STATUS: Record<AcceptResult['status'], number> = { queued: 202, created: 201, existing: 200 };

const oneOrMany = (one: typeof EventResponse | typeof QueuedEventResponse) => ({
  schema: { oneOf: [{ $ref: getSchemaPath(one) }, { $ref: getSchemaPath(QueuedBatchResponse) }] },
});

/** Accepts, lists and finds events. */
@ApiTags('events')
@ApiExtraModels(CreateEventDto, EventResponse, QueuedEventResponse, QueuedBatchResponse)
@Controller('events')
export class EventsController {
  constructor(private readonly events: EventsService) {}

  @Post()
  @Allow('ingest', 'handler')
  @AllowedParameters('key')
  @ApiOperation({
    summary: 'Send events',
    description:
      `One event, an array of events, or NDJSON (an event a line): at most ${environment.EVENTS_LIMIT} events and ` +
      `${environment.BODY_LIMIT} bytes a request. The body may be compressed: \`Content-Encoding\` is one of ` +
      `${CONTENT_CODINGS.join(', ')}, and the limits hold for what comes out. The response comes when the events are durable in the queue. Each event is stored ` +
      'exactly once, however often it is sent. If some of many events are invalid, they are named and the others accepted. ' +
      'A request counts as many events against the rate limit as it holds, or one for each 4,096 bytes of its body if those are more.',
  })
  @ApiConsumes(...EVENT_MEDIA_TYPES)
  @ApiBody({
    schema: {
      oneOf: [
        { $ref: getSchemaPath(CreateEventDto) },
        { type: 'array', items: { $ref: getSchemaPath(CreateEventDto) }, maxItems: environment.EVENTS_LIMIT },
      ],
    },
    examples: {
      one: { summary: 'One event', value: EXAMPLE },
      many: {
        summary: 'Many events',
        value: [EXAMPLE, { ...EXAMPLE, category: 'form interaction', name: 'submit' }],
      },
    },
  })
  @ApiQuery({
    name: 'key',
    required: false,
    description: 'A key of scope `ingest`, for `navigator.sendBeacon`, which can set no header.',
  })
  @ApiHeader({
    name: 'Prefer',
    required: false,
    description:
      `\`wait=5\` waits up to 5 seconds (${environment.WAIT_LIMIT} at most) until the events are stored (RFC 7240). While too ` +
      'many others wait, in all or with this key, the response is 202 at once, without `Preference-Applied`.',
  })
  @ApiAcceptedResponse({
    description: 'The events are durable in the queue.',
    headers: {
      Location: {
        description: 'Address of the event, once it is stored (for a single event).',
        schema: { type: 'string' },
      },
    },
    ...oneOrMany(QueuedEventResponse),
  })
  @ApiCreatedResponse({
    description: 'With `Prefer: wait`: the events are stored.',
    ...oneOrMany(EventResponse),
  })
  @ApiOkResponse({
    description: 'With `Prefer: wait`: the events were stored before.',
    ...oneOrMany(EventResponse),
  })
  @ApiProblems(400, 413, 415, 503)
  async create(
    @SubmittedEvents(EventsPipe, EventLimitsPipe) submission: Submission,
    @Headers('prefer') prefer: string | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<QueuedEventResponse | QueuedBatchResponse | EventResponse> {
    const { many, events, refused, errorsLeftOut } = submission;
    const waitSeconds = preferredWait(prefer, environment.WAIT_LIMIT);
    const { status, waited } = await this.events.accept(events, waitSeconds * 1000, {
      keyId: request.caller.keyId,
      bytes: request.bodyReservation?.bytes ?? 0,
    });
    reply.status(STATUS[status]);
    if (waited) reply.header('preference-applied', `wait=${waitSeconds}`);
    // A stored event is what was sent, because its id follows from all its values.
    const stored = status === 'queued' ? undefined : events.map(toStoredEvent);
    if (many) {
      const ids = events.map(({ id }) => id);
      return {
        accepted: events.length,
        rejected: refused,
        ...(errorsLeftOut > 0 && { errors_left_out: errorsLeftOut }),
        ids,
        ...(stored && { results: stored }),
      };
    }
    const id = events[0]?.id ?? '';
    reply.header('location', locationOf(`/events/${id}/`));
    return stored?.[0] ?? { id, status: 'queued' };
  }

  @Get()
  @Allow('read', 'parameter')
  @EitherQuestion((parameters) => engineFor(parameters) !== 'postgresql')
  @Header('content-type', JSON_CONTENT_TYPE)
  @ApiOperation({
    summary: 'List events',
    description:
      'Newest first by default. Every page costs the same; follow `next` and `previous`. A page ends early when its ' +
      `payloads exceed ${MAX_PAGE_BYTES / 1024 / 1024} MiB together. ` +
      'Conditions on any property are further parameters, e.g. `data.path=/checkout` or `data.price:gte=10`. PostgreSQL ' +
      'finds the events of a session, a category or an application; ClickHouse finds those of all other filters, and `as_of` ' +
      'says how far it is.',
  })
  @ApiFilters()
  @ApiOkResponse({ type: EventPageResponse })
  @ApiProblems(400, 503)
  list(
    @Query(filterPipe) query: ListEventsDto,
    @Query() parameters: Readonly<Record<string, unknown>>,
    @Req() request: FastifyRequest,
  ): Promise<string> {
    return toPageResponse(request, this.events.list(query, engineFor(parameters)));
  }

  @Get(':id')
  @Allow('read', 'handler')
  @PostgresQuestion()
  @AllowedParameters()
  @ApiOperation({ summary: 'One event' })
  @ApiParam({
    name: 'id',
    schema: { type: 'string', format: 'uuid', example: EXAMPLE_STORED.id },
    description: 'The id that the response to `POST /events` gave.',
  })
  @ApiOkResponse({ type: EventResponse })
  @ApiProblems(400, 404, 503)
  find(@Param('id') id: string, @VisibleApplication() visible: string | undefined): Promise<EventResponse> {
    return this.events.find(id, visible);
  }
}
