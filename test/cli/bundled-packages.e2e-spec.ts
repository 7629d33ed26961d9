import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../support/pages.js';

/** Serves a request by the bundled Fastify, and counts the names that are defined meanwhile. */
const PROGRAM = `
  let defined = 0;
  const { defineProperty } = Object;
  Object.defineProperty = (target, key, descriptor) => {
    if (key === 'name' && typeof target === 'function') defined++;
    return defineProperty(target, key, descriptor);
  };
  const { TypeOrmModule } = await import('./@nestjs/typeorm/index.mjs');
  const { FastifyAdapter } = await import('./@nestjs/platform-fastify/index.mjs');
  const server = new FastifyAdapter().getInstance();
  server.addHook('onRequest', (request, reply, next) => next());
  server.post('/', (request, reply) => reply.send({}));
  await server.ready();
  const request = () => server.inject({ method: 'POST', url: '/', body: {} });
  // Loads what only requests need.
  await request();
  const before = defined;
  const { statusCode } = await request();
  console.log(JSON.stringify({ module: TypeOrmModule.name, statusCode, before, during: defined - before }));
`;

describe('The bundled packages', () => {
  it('keep the names of classes, and define no name of a function while they serve a request', async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', PROGRAM],
      { cwd: join(ROOT, 'dist/node_modules') },
    );
    const report = JSON.parse(stdout) as { before: number };
    expect(report).toMatchObject({ module: 'TypeOrmModule', statusCode: 200, during: 0 });
    // The counter works.
    expect(report.before).toBeGreaterThan(100);
  });
});
