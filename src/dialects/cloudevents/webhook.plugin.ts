import fp from 'fastify-plugin';
import { pathOf } from '../../platform/http/http-errors.js';

/** The path that takes CloudEvents, with or without a slash at its end. */
const PATH = /^\/events\/?$/;

/**
 * Answers a sender that asks whether it may deliver events here. Any may ask: whether it may send is decided by its key. There is
 * no rate for a sender, only one for a key, which each response reports.
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md#4-abuse-protection
 */
export const cloudEventsWebhook = fp(
  (fastify, _options, registered) => {
    fastify.addHook('onRequest', (request, reply, next) => {
      const origin = request.headers['webhook-request-origin'];
      if (request.method !== 'OPTIONS' || origin === undefined || !PATH.test(pathOf(request))) return next();
      void reply
        .code(200)
        .headers({ allow: 'POST', 'webhook-allowed-origin': origin, 'webhook-allowed-rate': '*' })
        .send();
    });
    registered();
  },
  { name: 'the-eye-cloudevents-webhook', dependencies: ['the-eye-host-check'] },
);
