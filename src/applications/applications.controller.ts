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
import { AllowedParameters } from '../platform/http/allowed-parameters.decorator.js';
import { ApiProblems } from '../platform/http/api-problems.js';
import { JsonObjectPipe } from '../platform/http/json-object.pipe.js';
import { AfterNamePipe, ApplicationNamePipe } from './application-name.pipes.js';
import { keyNotFound } from './application-errors.js';
import { ApplicationsService, PAGE_SIZE } from './applications.service.js';
import { CreateApplicationDto, CreateKeyDto } from './dto/requests.dto.js';
import { ApplicationResponse, ApplicationWithKeysResponse, NewKeyResponse } from './dto/responses.dto.js';

const nameParameter = { name: 'name', example: 'shop', description: 'Name of the application.' };

/** Trusted applications and their keys. */
@ApiTags('applications')
@Controller('applications')
export class ApplicationsController {
  constructor(private readonly applications: ApplicationsService) {}

  @Get()
  @Allow('admin')
  @AllowedParameters('after')
  @ApiOperation({ summary: 'List applications', description: `Ordered by name, ${PAGE_SIZE} at a time.` })
  @ApiQuery({ name: 'after', required: false, description: 'Continues after the application of this name.' })
  @ApiOkResponse({ type: [ApplicationResponse] })
  @ApiProblems(400, 503)
  list(@Query('after', AfterNamePipe) after?: string): Promise<ApplicationResponse[]> {
    return this.applications.list(after);
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
    void reply.header('location', `/applications/${name}/`);
    return application;
  }

  @Get(':name')
  @Allow('admin')
  @AllowedParameters()
  @ApiOperation({ summary: 'One application', description: 'With its keys, revoked ones included.' })
  @ApiParam(nameParameter)
  @ApiOkResponse({ type: ApplicationWithKeysResponse })
  @ApiProblems(400, 404, 503)
  find(@Param('name', ApplicationNamePipe) name: string): Promise<ApplicationWithKeysResponse> {
    return this.applications.find(name);
  }

  @Post(':name/keys')
  @Allow('admin')
  @AllowedParameters()
  // No other response contains a secret.
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Create a key', description: 'Only this response contains the key.' })
  @ApiParam(nameParameter)
  @ApiConsumes('application/json')
  @ApiBody({ type: CreateKeyDto })
  @ApiCreatedResponse({ type: NewKeyResponse })
  @ApiProblems(400, 404, 413, 415, 503)
  createKey(
    @Param('name', ApplicationNamePipe) name: string,
    @Body(new JsonObjectPipe(CreateKeyDto)) options: CreateKeyDto,
  ): Promise<NewKeyResponse> {
    return this.applications.createKey(name, options);
  }

  @Delete(':name/keys/:id')
  @Allow('admin')
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
  ): Promise<void> {
    return this.applications.revokeKey(id, name);
  }
}
