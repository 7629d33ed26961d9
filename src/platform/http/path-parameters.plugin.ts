import fp from 'fastify-plugin';

/** The segment that says that the parameter stands in the query. */
const IN_QUERY = '_';

/**
 * Takes a path parameter from the query where its segment is `_`: `/sessions/_/?session_id=..` is the session `..`. Clients
 * that follow the URL standard resolve the segments `.` and `..` before they send a request, percent-encoded or not, and some
 * proxies decode `%2F`. A query arrives as it was written.
 */
export const pathParameters = fp(
  (fastify, _, done) => {
    fastify.addHook('onRequest', (request, _reply, next) => {
      const segments = request.params as Record<string, string>;
      const query = request.query as Record<string, unknown>;
      for (const name in segments) {
        const value = query[name];
        if (segments[name] !== IN_QUERY || typeof value !== 'string') continue;
        segments[name] = value;
        // What stays in the query is checked against the parameters that the route knows.
        delete query[name];
      }
      next();
    });
    done();
  },
  { name: 'the-eye-path-parameters' },
);
