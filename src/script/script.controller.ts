import { Controller, Get, Header, Headers, Res } from '@nestjs/common';
import {
  ApiHeader,
  ApiNotModifiedResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProperty,
  ApiQuery,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Allow } from '../auth/access.decorator.js';
import { AllowedParameters } from '../platform/http/allowed-parameters.decorator.js';
import { ApiProblems } from '../platform/http/api-problems.js';
import { acceptsCoding } from './accepts-coding.js';
import { ScriptFile } from './script-file.js';

/** Pages of all origins may load it. A new version reaches them within the hour. */
const CACHE_CONTROL = 'public, max-age=3600, stale-while-revalidate=86400';

class ScriptResponse {
  @ApiProperty({
    example: 'sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC',
    description: 'For the attribute `integrity` of the script element.',
  })
  integrity: string;

  @ApiProperty({ example: 6100, description: 'Of the uncompressed script.' })
  bytes: number;
}

/** The script of a web page that sends events. It holds no key: it reads the one in its own address. */
@ApiTags('events')
@Controller()
export class ScriptController {
  constructor(private readonly file: ScriptFile) {}

  @Get('eye.js')
  @Allow('anybody')
  @AllowedParameters('key')
  @Header('cache-control', CACHE_CONTROL)
  @Header('cross-origin-resource-policy', 'cross-origin')
  @Header('access-control-allow-origin', '*')
  @Header('vary', 'accept-encoding')
  @ApiOperation({
    summary: 'The script for web pages',
    description: 'Tracks what `data-auto` names, and sets `window.eye`. Its text is the same for all keys.',
  })
  @ApiQuery({
    name: 'key',
    required: false,
    description: 'A key of scope `ingest`, which the script reads. The response does not depend on it.',
  })
  @ApiHeader({ name: 'If-None-Match', required: false, description: 'The ETag that the client has.' })
  @ApiOkResponse({ content: { 'text/javascript': { schema: { type: 'string' } } } })
  @ApiNotModifiedResponse({ description: 'The client has this version.' })
  @ApiProblems(400, 404)
  async script(
    @Headers('accept-encoding') accepted: string | undefined,
    @Headers('if-none-match') known: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { integrity, ...bodies } = await this.file.load();
    // Weak, because it is one for all codings.
    const etag = `W/"${integrity}"`;
    // Credentials are not needed, and a browser accepts none together with `*`.
    reply.removeHeader('access-control-allow-credentials').header('etag', etag);
    if (known?.includes(integrity)) {
      await reply.status(304).send();
      return;
    }
    const coding = (['br', 'gzip'] as const).find((name) => acceptsCoding(accepted, name));
    if (coding) reply.header('content-encoding', coding);
    await reply.type('text/javascript; charset=utf-8').send(bodies[coding ?? 'identity']);
  }

  @Get('eye.json')
  @Allow('anybody')
  @AllowedParameters()
  @ApiOperation({ summary: 'The integrity hash of the script for web pages' })
  @ApiOkResponse({ type: ScriptResponse })
  @ApiProblems(400, 404)
  async describe(): Promise<ScriptResponse> {
    const { integrity, identity } = await this.file.load();
    return { integrity, bytes: identity.length };
  }
}
