/**
 * What @segment/analytics-next loads before it sends anything.
 * @param address of this API as the page reaches it; a mere path if that is not certain, and the page then has to name it
 */
export function segmentSettings(key: string, address: string): object {
  const { protocol, host, pathname } = URL.canParse(address) ? new URL(address) : {};
  return {
    integrations: {
      'Segment.io': {
        apiKey: key,
        ...(protocol !== undefined && { protocol: protocol.slice(0, -1), apiHost: `${host}${pathname}` }),
      },
    },
    // It would send figures about itself to Segment.
    metrics: { sampleRate: 0 },
    plan: {},
    legacyVideoPluginsEnabled: false,
    remotePlugins: [],
  };
}

/** What @rudderstack/analytics-js loads before it sends anything: a source without destinations. */
export const RUDDERSTACK_SOURCE = {
  source: {
    id: 'the-eye',
    name: 'The Eye',
    workspaceId: 'the-eye',
    enabled: true,
    // It would send reports about itself to this API.
    config: { statsCollection: { errors: { enabled: false }, metrics: { enabled: false } } },
    destinations: [],
  },
};
