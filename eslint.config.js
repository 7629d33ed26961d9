import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/**
 * The folders of src, from the lowest layer to the highest. A folder may import only itself and those listed before it,
 * so every dependency points down. A nested feature such as `events/stream` is a unit of its own.
 */
const LAYERS = [
  'platform/config',
  'platform/errors',
  'platform/async',
  'platform/json',
  'platform/time',
  'platform/model',
  'platform/telemetry',
  'platform/embedded',
  'platform/questions',
  'platform/database',
  'platform/clickhouse',
  'platform/redis',
  'platform/http',
  'platform/paging',
  'platform/filters',
  'queue',
  'replication',
  'questions',
  'auth',
  'audit',
  'rejections',
  'event-types',
  'statistics',
  'properties',
  'query',
  'statistics/rates',
  'events/stream',
  'events',
  'events/export',
  'dialects',
  'rejections/retry',
  'sessions',
  'statistics/sessions',
  'statistics/funnel',
  'statistics/retention',
  'statistics/paths',
  'applications',
  'operations',
  'dashboard',
  'script',
  'docs',
  'commands',
  'worker',
];

/**
 * The units nested in a layer, by the name of their folder in it.
 * @param {string} layer
 */
const nestedIn = (layer) =>
  LAYERS.filter((name) => name.startsWith(`${layer}/`)).map((name) => name.slice(layer.length + 1));

/**
 * Globs for the files of a layer, without those of the units nested in it.
 * @param {string} layer
 */
const filesOf = (layer) => {
  const nested = nestedIn(layer);
  if (nested.length === 0) return [`./src/${layer}/**`];
  const others = `!(${nested.join('|')})`;
  return [`./src/${layer}/${others}`, `./src/${layer}/${others}/**`];
};

/** Programs around The Eye: each may import only itself, src and testing, which holds what they share. */
const TOOLS = ['test', 'bench', 'demo'];

const toolZones = [...TOOLS, 'testing', 'src'].map((folder) => ({
  target: `./${folder}`,
  from: [...TOOLS, ...(folder === 'src' ? ['testing'] : [])]
    .filter((name) => name !== folder)
    .map((name) => `./${name}`),
  message: `${folder} may not import this folder: what test, bench and demo share is in testing.`,
}));

/** One rule set a layer: what stands above it cannot be imported. */
const layerRules = LAYERS.map((layer, index) => ({
  files: [`src/${layer}/**`],
  ignores: nestedIn(layer).map((name) => `src/${layer}/${name}/**`),
  rules: {
    'import-x/no-restricted-paths': [
      'error',
      {
        zones: [
          {
            target: './src',
            from: [
              ...LAYERS.slice(index + 1).flatMap(filesOf),
              './src/{main,bootstrap,app,app.module,startup-message}.ts',
            ],
            message: `${layer} may import only the layers below it: see LAYERS in eslint.config.js.`,
          },
          ...toolZones,
        ],
      },
    ],
  },
}));

export default tseslint.config(
  { ignores: ['dist', 'packages/*/dist', 'data', 'coverage'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: {
          allowDefaultProject: ['*.js', 'packages/client/*.js', 'test/setup/*.js'],
          maximumDefaultProjectFileMatchCount_THIS_WILL_SLOW_DOWN_LINTING: 9,
        },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [importX.createNodeResolver({ extensionAlias: { '.js': ['.ts', '.js'] } })],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
      'import-x/no-cycle': 'error',
      'import-x/no-restricted-paths': ['error', { zones: toolZones }],
      // The environment is read once, in src/platform/config.
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Read it from src/platform/config.' },
      ],
    },
  },
  ...layerRules,
  {
    files: [
      'src/platform/config/**',
      'src/platform/embedded/**',
      'test/**',
      'testing/**',
      'bench/**',
      'demo/**',
      '*.js',
    ],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    // Of the browser: its own tsconfig.json knows the names there, and checks the types.
    files: ['src/dashboard/public/**'],
    rules: { 'no-undef': 'off' },
  },
  {
    // What comes over HTTP is any; the assertions are what checks it.
    files: [
      'test/**',
      'testing/**',
      'bench/**',
      'src/**/*.spec.ts',
      'packages/*/src/**/*.spec.ts',
      'src/dashboard/public/**',
    ],
    rules: {
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  prettier,
);
