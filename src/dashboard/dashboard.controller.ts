import { applyDecorators, Controller, Get, Header, Param, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { basename, dirname } from 'node:path';
import { Allow } from '../auth/access.decorator.js';
import { VENDOR_FILES } from './assets.js';

/**
 * Stricter than that of other answers. Scripts and styles only from here and none in the page itself, so that nothing
 * that an event holds could ever run. No form is ever submitted: what is typed into one, such as a key, cannot end up
 * in an address.
 */
const CONTENT_SECURITY_POLICY =
  "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'";

const PageFile = (path?: string): MethodDecorator =>
  applyDecorators(Get(path), Allow('anybody'), Header('content-security-policy', CONTENT_SECURITY_POLICY));

/** The page for people. It says nothing that the source does not; what it asks for needs a key as ever. */
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
