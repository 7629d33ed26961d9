import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  Param,
  ParseUUIDPipe,
  Post,
  Query,
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
import type { FastifyReply } from 'fastify';
import { Allow } from '../auth/access.decorator.js';
import { ApiProblems } from '../platform/http/api-problems.js';
import { JsonObjectPipe } from '../platform/http/json-object.pipe.js';
import { AllowedParameters } from '../platform/http/allowed-parameters.decorator.js';
import { Problem } from '../platform/http/problem.js';
import { AfterNamePipe, ApplicationNamePipe, noApplication } from './application-name.pipe.js';
import { ApplicationsService } from './applications.service.js';
import { CreateApplicationDto, CreateKeyDto } from './dto/requests.dto.js';
import { ApplicationResponse, ApplicationWithKeysResponse, NewKeyResponse } from './dto/responses.dto.js';

const PAGE_SIZE = 100;

const inPath = { name: 'name', example: 'shop', description: 'Name of the application.' };

/** Trusted applications and their keys. */
@ApiTags('applications')
@Controller('applications')
export class ApplicationsController {
  constructor(private readonly applications: ApplicationsService) {}

  @Get()
  @Allow('admin')
  @AllowedParameters('after')
  @ApiOperation({ summary: 'List applications', description: `By name, ${PAGE_SIZE} at a time.` })
  @ApiQuery({ name: 'after', required: false, description: 'Goes on after the application of this name.' })
  @ApiOkResponse({ type: [ApplicationResponse] })
  @ApiProblems(400, 503)
  list(@Query('after', AfterNamePipe) after?: string): Promise<ApplicationResponse[]> {
    return this.applications.list(PAGE_SIZE, after);
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
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ApplicationResponse> {
    const application = await this.applications.create(name);
    if (!application)
      throw new Problem(409, 'already_exists', 'There is an application of this name already.');
    reply.header('location', `/applications/${name}/`);
    return application;
  }

  @Get(':name')
  @Allow('admin')
  @AllowedParameters()
  @ApiOperation({ summary: 'One application', description: 'With its keys, revoked ones too.' })
  @ApiParam(inPath)
  @ApiOkResponse({ type: ApplicationWithKeysResponse })
  @ApiProblems(400, 404, 503)
  async find(@Param('name', ApplicationNamePipe) name: string): Promise<ApplicationWithKeysResponse> {
    const application = await this.applications.find(name);
    if (!application) throw noApplication();
    return application;
  }

  @Post(':name/keys')
  @Allow('admin')
  @AllowedParameters()
  // It is the one answer with a secret in it.
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Make a key', description: 'The answer shows the key, this once.' })
  @ApiParam(inPath)
  @ApiConsumes('application/json')
  @ApiBody({ type: CreateKeyDto })
  @ApiCreatedResponse({ type: NewKeyResponse })
  @ApiProblems(400, 404, 413, 415, 503)
  async createKey(
    @Param('name', ApplicationNamePipe) name: string,
    @Body(new JsonObjectPipe(CreateKeyDto)) wishes: CreateKeyDto,
  ): Promise<NewKeyResponse> {
    const key = await this.applications.createKey(name, wishes);
    if (!key) throw noApplication();
    return key;
  }

  @Delete(':name/keys/:id')
  @Allow('admin')
  @AllowedParameters()
  @HttpCode(204)
  @ApiOperation({
    summary: 'Revoke a key',
    description: 'For good. Counts within seconds, in every process. To revoke it again changes nothing.',
  })
  @ApiParam(inPath)
  @ApiParam({ name: 'id', schema: { type: 'string', format: 'uuid' }, description: 'Of the key.' })
  @ApiNoContentResponse({ description: 'The key is revoked.' })
  @ApiProblems(400, 404, 413, 415, 503)
  async revoke(
    @Param('name', ApplicationNamePipe) name: string,
    @Param('id', new ParseUUIDPipe({ exceptionFactory: noKey })) id: string,
  ): Promise<void> {
    if (!(await this.applications.revoke(id, name))) throw noKey();
  }
}

function noKey(): Problem {
  return new Problem(404, 'not_found', 'This application has no such key.');
}
