/*
 * `npm test -- --selectProjects unit` runs the first project only, in seconds and without a build. The others start the built
 * program, and find it as they would find it deployed: over HTTP, with its servers. jest.outages.config.js has one more.
 */

/** Options of every project. */
const base = {
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
      },
    ],
  },
  setupFiles: ['<rootDir>/test/setup/fixed-seed.ts'],
  resolver: '<rootDir>/test/setup/resolver.js',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
};

/** A project whose specs start the built program. */
export const endToEnd = (/** @type {string} */ name) => ({
  ...base,
  displayName: name,
  roots: [`<rootDir>/test/${name}`],
  testRegex: '\\.e2e-spec\\.ts$',
  globalSetup: '<rootDir>/test/setup/global-setup.js',
  globalTeardown: '<rootDir>/test/setup/global-teardown.js',
});

/** Options of a run, which Jest reads here only, not in a project. */
export const run = {
  // Long enough for a slow machine.
  testTimeout: 480_000,
  // On two cores: specs wait for servers and for time as long as they work. With three, a fifth of the cores lies idle.
  maxWorkers: 4,
  testSequencer: '<rootDir>/test/setup/sequencer.js',
};

export default {
  ...run,
  projects: [
    {
      ...base,
      displayName: 'unit',
      roots: ['<rootDir>/packages', '<rootDir>/src', '<rootDir>/test', '<rootDir>/testing'],
      globals: { IS_SCRIPT: false },
      testRegex: '(?<!e2e-)spec\\.ts$',
    },
    ...['api', 'browser', 'cli', 'faults'].map(endToEnd),
  ],
};
