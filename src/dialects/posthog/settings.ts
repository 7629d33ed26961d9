/**
 * What posthog-js asks before and beside sending. Everything that PostHog's servers would do is off, so that it asks for nothing
 * else. What the page itself configures stays in force, such as autocapture. `surveys` is left out: posthog-js 1.449 loads its
 * script for surveys even where it is false.
 */
const FEATURES = {
  supportedCompression: ['gzip', 'gzip-js', 'base64'],
  autocapture_opt_out: false,
  autocaptureExceptions: false,
  capturePerformance: false,
  captureDeadClicks: false,
  conversations: false,
  heatmaps: false,
  logs: { captureConsoleLogs: false },
  productTours: false,
  sessionRecording: false,
  siteApps: [],
  defaultIdentifiedOnly: true,
  elementsChainAsString: true,
  isAuthenticated: false,
  toolbarParams: {},
  editorParams: {},
};

/** The configuration of a project. With `hasFeatureFlags: false`, posthog-js does not ask for flags. */
export const configOf = (token: string) => ({ token, ...FEATURES, hasFeatureFlags: false });

/** The same as a script, which posthog-js loads first where it may load scripts. */
export function configScriptOf(token: string): string {
  // The key stands in the address, which anybody may have written.
  const [key, config] = [token, configOf(token)].map((value) =>
    JSON.stringify(value).replaceAll('<', '\\u003c'),
  );
  return (
    '(function () {\n' +
    '  var configs = (window._POSTHOG_REMOTE_CONFIG = window._POSTHOG_REMOTE_CONFIG || {});\n' +
    `  configs[${key}] = { config: ${config}, siteApps: [] };\n` +
    '})();\n'
  );
}

/** No flags, in the form of `/flags/?v=2` and of `/decide/`, which came before it and held the configuration too. */
export const NO_FLAGS = {
  ...FEATURES,
  flags: {},
  featureFlags: {},
  featureFlagPayloads: {},
  errorsWhileComputingFlags: false,
};
