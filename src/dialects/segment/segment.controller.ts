import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { DialectIngestion } from '../ingestion.js';
import { Speaks } from '../speaks.decorator.js';
import { SEGMENT } from './segment.dialect.js';

/** Accepts events of Segment's SDKs. */
@Controller()
export class SegmentController {
  constructor(private readonly ingestion: DialectIngestion) {}

  @Post(['v1/batch', 'v1/import'])
  @HttpCode(200)
  @Speaks(SEGMENT)
  @ApiOperation({ summary: "Send a batch of Segment's events" })
  async batch(@Req() request: FastifyRequest): Promise<{ success: true }> {
    await this.ingestion.accept(request);
    return { success: true };
  }
}
