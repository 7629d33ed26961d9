import fp from 'fastify-plugin';
import { DomainError } from '../errors/domain-error.js';

/** Parameters of a query at most: several times as many as a route has, with the conditions of a filter or the fields of a tracker. */
export const MAX_PARAMETERS = 200;

/** Refuses a query of too many parameters before a route looks at them: a check of thousands takes tens of milliseconds. */
export const parameterLimit = fp(
  (fastify, _, done) => {
    fastify.addHook('onRequest', ({ query }, _reply, next) => {
      if (Object.keys(query as object).length <= MAX_PARAMETERS) return next();
      next(new DomainError('invalid', 'invalid', `The query has more than ${MAX_PARAMETERS} parameters.`));
    });
    done();
  },
  { name: 'the-eye-parameter-limit' },
);
