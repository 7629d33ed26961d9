import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/** Which folders of src a folder may not import: dependencies point one way. */
const boundary = (target, ...from) =>
  from.map((name) => ({
    target: `./src/${target}`,
    from: `./src/${name}`,
    message: `${target} must not know ${name}: see the list of boundaries in eslint.config.js.`,
  }));

/** Each reads alone; what they share stands in the other folders. */
const FEATURES = [
  'events',
  'event-types',
  'rejections',
  'applications',
  'statistics',
  'sessions',
  'live',
  'pulse',
  'dashboard',
];

/** What they stand on. */
const SHARED = ['http', 'queue', 'database', 'embedded', 'paging', 'values'];

/**
 * What a feature may know of the others.
 * @type {Record<string, string[] | undefined>}
 */
const KNOWS = {
  events: ['event-types', 'rejections', 'statistics', 'live'],
  'event-types': ['rejections'],
  sessions: ['events', 'statistics'],
  // Its command covers what is kept of both.
  statistics: ['sessions'],
};

export default tseslint.config(
  { ignores: ['dist', 'data', 'coverage'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['*.js'] },
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
      'import-x/no-restricted-paths': [
        'error',
        {
          zones: [
            ...boundary('config', ...FEATURES, ...SHARED, 'telemetry', 'operations'),
            ...boundary('telemetry', ...FEATURES, ...SHARED, 'operations'),
            ...boundary('operations', ...FEATURES),
            ...boundary('embedded', ...FEATURES, 'http', 'queue', 'database', 'paging', 'values'),
            ...boundary('database', ...FEATURES, 'http', 'queue', 'paging', 'values'),
            ...boundary('queue', ...FEATURES, 'http', 'paging', 'values'),
            ...boundary('values', ...FEATURES, 'http', 'queue', 'database', 'embedded', 'paging'),
            ...boundary('paging', ...FEATURES, 'queue'),
            ...boundary('http', ...FEATURES),
            ...FEATURES.flatMap((feature) =>
              boundary(
                feature,
                ...FEATURES.filter((each) => each !== feature && !KNOWS[feature]?.includes(each)),
              ),
            ),
            ...boundary('event-types', 'queue'),
            ...boundary('statistics', 'queue'),
            ...boundary('pulse', 'database', 'paging'),
            // The page knows the others by their HTTP alone.
            ...boundary('dashboard', 'queue', 'database'),
            ...boundary('sessions', 'queue'),
          ],
        },
      ],
      // The environment is read once, in src/config.
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Read it from src/config.' },
      ],
    },
  },
  {
    files: ['src/config/**', 'src/embedded/**', 'test/**', 'bench/**', 'demo/**', '*.js'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    // Of the browser: its own tsconfig.json knows the names there, and checks the types.
    files: ['src/dashboard/public/**'],
    rules: { 'no-undef': 'off' },
  },
  {
    // What comes over HTTP is any; the assertions are what checks it.
    files: ['test/**', 'bench/**', 'src/**/*.spec.ts', 'src/dashboard/public/**'],
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
