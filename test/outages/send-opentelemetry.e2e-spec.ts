import { bearer } from '../../testing/keys.js';
import type { TheEye } from '../../testing/the-eye.js';
import { emit28Events, EXPORTERS, openTelemetry } from '../support/opentelemetry-node.js';
import { startEyeWithKey } from '../support/start-eye.js';
import { allStoredWhere } from '../support/stored.js';
import { UnreliableProxy } from '../support/unreliable-proxy.js';

/** An exporter gives up after some ten seconds: a longer outage needs a collector with a queue in between. */
const OUTAGE_MS = 4_000;

describe("OpenTelemetry's exporters in front of a network that fails", () => {
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

  const storedOf = async (session: string): Promise<number> =>
    (await allStoredWhere(eye, 'session_id = $1', session)).length;

  it.each(EXPORTERS)('store 28 events once as %s if the first two responses are lost', async (name) => {
    proxy.loseResponses(2);
    const { length } = proxy.requests;
    const provider = openTelemetry(name, proxy.url, bearer(key));
    emit28Events(provider, `lost ${name}`);
    await provider.forceFlush();
    await provider.shutdown();
    expect(proxy.requests.slice(length)).toEqual(['POST /v1/logs', 'POST /v1/logs', 'POST /v1/logs']);
    expect(await storedOf(`lost ${name}`)).toBe(28);
  });

  it.each(EXPORTERS)('store 28 events once as %s after seconds of 503', async (name) => {
    proxy.beUnavailable(OUTAGE_MS);
    const provider = openTelemetry(name, proxy.url, bearer(key));
    emit28Events(provider, `unavailable ${name}`);
    await provider.forceFlush();
    await provider.shutdown();
    expect(await storedOf(`unavailable ${name}`)).toBe(28);
  });
});
