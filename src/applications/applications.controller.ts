import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  Param,
  ParseUUIDPipe,
  Patch,
  Post,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import {
  ApiBody,
  ApiConsumes,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiQuery,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Allow, VisibleApplication } from '../auth/access.decorator.js';
import { actorOf } from '../auth/audit.js';
import { PostgresQuestion } from '../auth/question.decorator.js';
import { AllowedParameters } from '../platform/http/allowed-parameters.decorator.js';
import { ApiProblems } from '../platform/http/api-problems.js';
import { locationOf } from '../platform/http/links.js';
import { JsonObjectPipe } from '../platform/http/json-object.pipe.js';
import { AfterNamePipe, ApplicationNamePipe } from './application-name.pipes.js';
import { keyNotFound } from './application-errors.js';
import { ApplicationsService, PAGE_SIZE } from './applications.service.js';
import { CreateApplicationDto, CreateKeyDto, UpdateApplicationDto } from './dto/requests.dto.js';
import { ApplicationResponse, ApplicationWithKeysResponse, NewKeyResponse } from './dto/responses.dto.js';

const nameParameter = { name: 'name', example: 'shop', description: 'Name of the application.' };

/** Trusted applications and their keys. */
@ApiTags('applications')
@Controller('applications')
export class ApplicationsController {
  constructor(private readonly applications: ApplicationsService) {}

  @Get()
  @Allow('admin', 'handler')
  @PostgresQuestion()
  @AllowedParameters('after')
  @ApiOperation({ summary: 'List applications', description: `Ordered by name, ${PAGE_SIZE} at a time.` })
  @ApiQuery({ name: 'after', required: false, description: 'Continues after the application of this name.' })
  @ApiOkResponse({ type: [ApplicationResponse] })
  @ApiProblems(400, 503)
  list(
    @Query('after', AfterNamePipe) after: string | undefined,
    @VisibleApplication() visible: string | undefined,
  ): Promise<ApplicationResponse[]> {
    return this.applications.list(after, visible);
  }

  @Post()
  @Allow('admin')
  @AllowedParameters()
  @ApiOperation({ summary: 'Register an application' })
  @ApiConsumes('application/json')
  @ApiBody({ type: CreateApplicationDto })
  @ApiCreatedResponse({ type: ApplicationResponse })
  @ApiProblems(400, 409, 413, 415, 503)
  async create(
    @Body(new JsonObjectPipe(CreateApplicationDto)) { name }: CreateApplicationDto,
    @Req() { caller }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ApplicationResponse> {
    const application = await this.applications.create(name, caller);
    void reply.header('location', locationOf(`/applications/${name}/`));
    return application;
  }

  @Get(':name')
  @Allow('admin', 'handler')
  @PostgresQuestion()
  @AllowedParameters()
  @ApiOperation({ summary: 'One application', description: 'With its keys, revoked ones included.' })
  @ApiParam(nameParameter)
  @ApiOkResponse({ type: ApplicationWithKeysResponse })
  @ApiProblems(400, 404, 503)
  find(
    @Param('name', ApplicationNamePipe) name: string,
    @Req() { caller }: FastifyRequest,
  ): Promise<ApplicationWithKeysResponse> {
    return this.applications.find(name, caller);
  }

  @Patch(':name')
  @Allow('admin')
  @AllowedParameters()
  @ApiOperation({
    summary: 'Change the limits of an application',
    description:
      'A limit that is absent stays as it is. Every process applies the change within two seconds.',
  })
  @ApiParam(nameParameter)
  @ApiConsumes('application/json')
  @ApiBody({ type: UpdateApplicationDto })
  @ApiOkResponse({ type: ApplicationResponse })
  @ApiProblems(400, 404, 413, 415, 503)
  update(
    @Param('name', ApplicationNamePipe) name: string,
    @Body(new JsonObjectPipe(UpdateApplicationDto)) changes: UpdateApplicationDto,
    @Req() { caller }: FastifyRequest,
  ): Promise<ApplicationResponse> {
    return this.applications.update(name, changes, actorOf(caller));
  }

  @Post(':name/keys')
  @Allow('admin', 'handler')
  @AllowedParameters()
  // No other response contains a secret.
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Create a key',
    description:
      'Only this response contains the key. Only a key for all applications can create another one, or one of scope `metrics`.',
  })
  @ApiParam(nameParameter)
  @ApiConsumes('application/json')
  @ApiBody({ type: CreateKeyDto })
  @ApiCreatedResponse({ type: NewKeyResponse })
  @ApiProblems(400, 404, 413, 415, 503)
  createKey(
    @Param('name', ApplicationNamePipe) name: string,
    @Body(new JsonObjectPipe(CreateKeyDto)) options: CreateKeyDto,
    @Req() { caller }: FastifyRequest,
  ): Promise<NewKeyResponse> {
    return this.applications.createKeyAs(caller, name, options);
  }

  @Delete(':name/keys/:id')
  @Allow('admin', 'handler')
  @AllowedParameters()
  @HttpCode(204)
  @ApiOperation({
    summary: 'Revoke a key',
    description:
      'Permanent. Every process rejects the key within two seconds. Revoking it again changes nothing.',
  })
  @ApiParam(nameParameter)
  @ApiParam({ name: 'id', schema: { type: 'string', format: 'uuid' }, description: 'Id of the key.' })
  @ApiNoContentResponse({ description: 'The key is revoked.' })
  @ApiProblems(400, 404, 413, 415, 503)
  revokeKey(
    @Param('name', ApplicationNamePipe) name: string,
    @Param('id', new ParseUUIDPipe({ exceptionFactory: keyNotFound })) id: string,
    @Req() { caller }: FastifyRequest,
  ): Promise<void> {
    return this.applications.revokeKeyAs(caller, id, name);
  }
}
