import fp from 'fastify-plugin';
import { indentJson } from '../json/indent-json.js';

const MAX_INDENT = 8;

/** Characters of an indented response: for people, who read no more than that. A longer one stays compact. */
const MAX_INDENTED_LENGTH = 256 * 1024;

/** Indents JSON responses to `Accept: application/json; indent=4`, as the predecessor did. */
export const jsonIndent = fp(
  (fastify, _, done) => {
    fastify.addHook('onSend', (request, reply, payload, next) => {
      if (!request.headers.accept?.includes('indent')) return next(null, payload);
      const indent = /application\/json\s*;\s*indent=(\d)\b/.exec(request.headers.accept)?.[1];
      const isJson = String(reply.getHeader('content-type')).includes('json');
      if (indent === undefined || !isJson || typeof payload !== 'string') return next(null, payload);
      const indented = indentJson(payload, Math.min(Number(indent), MAX_INDENT), MAX_INDENTED_LENGTH);
      next(null, indented === undefined ? payload : `${indented}\n`);
    });
    done();
  },
  { name: 'the-eye-json-indent' },
);
