import fp from 'fastify-plugin';
import findMyWay, { type HTTPMethod } from 'find-my-way';
import { SERVER_PATH } from './host-check.plugin.js';
import { methodNotAllowed, pathOf, routeNotFound } from './http-errors.js';

/**
 * Responds where no route matches: 405 for a method that the path does not have, 204 to OPTIONS, each with `Allow`, and 404 for
 * other paths. It does so before the body is read; otherwise its content type would be checked first.
 *
 * Fastify finds a route only by its pattern, not the methods of a path, so a second router of the same library holds them.
 */
export const methods = fp<{ router: findMyWay.Config<findMyWay.HTTPVersion.V1> }>(
  (fastify, { router: options }, done) => {
    const router = findMyWay(options);
    const known = new Set<HTTPMethod>();
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const each of [method].flat() as HTTPMethod[]) {
        // The CORS plugin has one for all paths.
        if (each === 'OPTIONS' || router.hasRoute(each, url)) continue;
        router.on(each, url, () => undefined);
        known.add(each);
      }
    });

    fastify.addHook('onRequest', (request, reply, next) => {
      const isOptions = request.method === 'OPTIONS';
      if (!request.is404 && !isOptions) return next();
      const path = pathOf(request);
      if (isOptions && path === SERVER_PATH) return void reply.code(204).send();
      const allowed = [...known].filter((method) => router.find(method, path) !== null).sort();
      if (allowed.length === 0) return next(routeNotFound(request));
      allowed.push('OPTIONS');
      reply.header('allow', allowed.join(', '));
      if (isOptions) return void reply.code(204).send();
      next(methodNotAllowed(request.method, allowed));
    });
    done();
  },
  { name: 'the-eye-methods', dependencies: ['the-eye-cors'] },
);
