import Fastify from 'fastify';
import { setNodeFlags } from '../../src/platform/config/node-flags.js';

setNodeFlags();

/** The limit set by the runtime: Fastify receives an event, parses it, and discards it. */
const server = Fastify();
server.post('/events/', (_, reply) => reply.status(202).send({ id: '', status: 'queued' }));
console.log(await server.listen({ port: 0, host: '127.0.0.1' }));
