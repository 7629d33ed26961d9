import Fastify from 'fastify';
import { setNodeFlags } from '../../src/platform/config/node-flags.js';

setNodeFlags();

/** The limit of the runtime: Fastify takes an event, parses it, and does nothing with it. */
const server = Fastify();
server.post('/events/', (_, reply) => reply.status(202).send({ id: '', status: 'queued' }));
console.log(await server.listen({ port: 0, host: '127.0.0.1' }));
