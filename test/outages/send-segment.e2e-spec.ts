import type { TheEye } from '../../testing/the-eye.js';
import { SEGMENT_CLIENTS } from '../support/segment-clients.js';
import { startEyeWithKey } from '../support/start-eye.js';
import { countStored } from '../support/stored.js';
import { UnreliableProxy } from '../support/unreliable-proxy.js';

/** The only one of these clients that still tries after ten seconds; the others have reported an error by then. */
const PATIENT = '@segment/analytics-node';

describe('A client for Node of Segment’s protocol', () => {
  let eye: TheEye;
  let proxy: UnreliableProxy;
  let key: string;

  beforeAll(async () => {
    ({ eye, key } = await startEyeWithKey());
    proxy = await UnreliableProxy.start(() => eye.url);
  });
  afterAll(async () => {
    proxy?.close();
    await eye?.close();
  });

  const stored = async (visitor: string): Promise<unknown> => {
    await eye.drained();
    return countStored(eye, 'messageId', `data->>'anonymousId' = $1`, visitor);
  };

  it.each(SEGMENT_CLIENTS)(
    'stores each event of $name once after two responses were lost',
    async (client) => {
      const visitor = `${client.name}, lost`;
      proxy.loseResponses(2);
      await client.send(proxy.url, key, visitor);
      expect(await stored(visitor)).toEqual({ events: 28, ids: 28 });
    },
  );

  it.each(SEGMENT_CLIENTS)(
    '$name stores nothing twice while the response is 503 for ten seconds',
    async (client) => {
      const visitor = `${client.name}, 503`;
      proxy.beUnavailable(10_000);
      await client.send(proxy.url, key, visitor);
      const count = client.name === PATIENT ? 28 : 0;
      expect(await stored(visitor)).toEqual({ events: count, ids: count });
    },
  );
});
