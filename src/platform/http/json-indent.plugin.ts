import fp from 'fastify-plugin';

const MAX_INDENT = 8;

/** Indents JSON responses to `Accept: application/json; indent=4`, as the predecessor did. */
export const jsonIndent = fp(
  (fastify, _, done) => {
    fastify.addHook('onSend', (request, reply, payload, next) => {
      if (!request.headers.accept?.includes('indent')) return next(null, payload);
      const indent = /application\/json\s*;\s*indent=(\d)\b/.exec(request.headers.accept)?.[1];
      const isJson = String(reply.getHeader('content-type')).includes('json');
      if (indent === undefined || !isJson || typeof payload !== 'string') return next(null, payload);
      next(null, `${JSON.stringify(JSON.parse(payload), null, Math.min(Number(indent), MAX_INDENT))}\n`);
    });
    done();
  },
  { name: 'the-eye-json-indent' },
);
