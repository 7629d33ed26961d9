import Fastify from 'fastify';
import { Redis } from 'ioredis';
import { randomUUID } from 'node:crypto';
import { setNodeFlags } from '../../src/platform/config/node-flags.js';
import { startEmbedded } from './embedded.js';

setNodeFlags();

/** The limit of accepting: the handler appends a request to a stream, which Redis fsyncs, and then responds. Nothing reads it. */
const server = Fastify();
const servers = await startEmbedded('redis', () => server.close());
const redis = new Redis((servers.redisUrl ?? '').replace(/^unix:\/\//, ''));
server.addHook('onClose', () => redis.disconnect());
/** Events that Redis has confirmed. */
let kept = 0;
server.post('/events/', async ({ body }, reply) => {
  await redis.xadd('events', '*', 'text', JSON.stringify(body));
  kept += Array.isArray(body) ? body.length : 1;
  return reply.status(202).send({ id: randomUUID(), status: 'queued' });
});
server.get('/count', () => String(kept));
console.log(await server.listen({ port: 0, host: '127.0.0.1' }));
