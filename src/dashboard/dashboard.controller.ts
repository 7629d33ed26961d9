import { applyDecorators, Controller, Get, Header, Param, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { basename, dirname } from 'node:path';
import { Allow } from '../auth/access.decorator.js';
import { VENDOR_FILES } from './assets.js';

/**
 * Stricter than for other responses. Scripts and styles load only from this origin and never inline, so that nothing in an
 * event can run. Forms cannot be submitted, so that a key typed into one cannot become part of an address.
 */
const CONTENT_SECURITY_POLICY =
  "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'";

const PageFile = (path?: string): MethodDecorator =>
  applyDecorators(Get(path), Allow('anybody'), Header('content-security-policy', CONTENT_SECURITY_POLICY));

/** The dashboard. Its files are public and contain no data; the API requests that it sends need a key. */
@ApiExcludeController()
@Controller()
export class DashboardController {
  @PageFile()
  page(@Res() reply: FastifyReply): void {
    reply.sendFile('index.html');
  }

  @PageFile('dashboard/vendor/:file')
  vendor(@Param('file') file: string, @Res() reply: FastifyReply): void {
    const path = VENDOR_FILES.get(file);
    if (path === undefined) reply.callNotFound();
    else reply.sendFile(basename(path), dirname(path));
  }

  @PageFile('dashboard/*')
  asset(@Req() request: FastifyRequest<{ Params: { '*': string } }>, @Res() reply: FastifyReply): void {
    reply.sendFile(request.params['*']);
  }
}
