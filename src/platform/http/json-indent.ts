import type { NestFastifyApplication } from '@nestjs/platform-fastify';

const WIDEST = 8;

/** Answers `Accept: application/json; indent=4` with JSON for people to read, as the seed did. */
export function indentOnRequest(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onSend', (request, reply, payload, done) => {
    if (!request.headers.accept?.includes('indent')) return done(null, payload);
    const indent = /application\/json\s*;\s*indent=(\d)\b/.exec(request.headers.accept)?.[1];
    const isJson = String(reply.getHeader('content-type')).includes('json');
    if (indent === undefined || !isJson || typeof payload !== 'string') return done(null, payload);
    done(null, `${JSON.stringify(JSON.parse(payload), null, Math.min(Number(indent), WIDEST))}\n`);
  });
}
