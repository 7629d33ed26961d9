import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import type { ErrorKind } from '../../platform/errors/domain-error.js';
import { PROBLEM_TABLE, type ProblemEntry } from '../../platform/http/problem-table.js';
import { PROTOBUF_TYPE } from './media-type.js';
import { renderStatus } from './status.js';

/** One kind of error for each status. */
const KINDS = [
  'invalid',
  'unauthenticated',
  'forbidden',
  'too_large',
  'unsupported',
  'rate_limited',
  'unavailable',
] as const satisfies ErrorKind[];

const STATUS_SCHEMA = {
  type: 'object',
  description: 'A google.rpc.Status.',
  properties: { code: { type: 'integer' }, message: { type: 'string' } },
  required: ['code', 'message'],
};

/** Documents the errors as messages of google.rpc.Status, in the encoding of the request. */
export function ApiStatuses(): MethodDecorator {
  return applyDecorators(
    ...KINDS.map((kind) => {
      const { description, documentedHeaders, example }: ProblemEntry = PROBLEM_TABLE[kind];
      const { status, body } = renderStatus(example);
      return ApiResponse({
        status,
        description,
        ...(documentedHeaders && { headers: { ...documentedHeaders } }),
        content: {
          'application/json': { schema: STATUS_SCHEMA, example: body },
          [PROTOBUF_TYPE]: { schema: { type: 'string', format: 'binary' } },
        },
      });
    }),
  );
}
