import { parseRequest } from './applications-arguments.js';

describe('The arguments of npm run applications', () => {
  it.each<[string[], RegExp]>([
    [['create'], /^The name of an application is /],
    [['create', 'Shop'], /^The name of an application is /],
    [['create', 'web', '--scope', 'root'], /^--scope must be one of ingest, read, admin, metrics\.$/],
    [['create', 'web', '--origin', 'shop.example'], /^--origin must be .*, not "shop.example"\.$/],
    [['create', 'web', '--scope', 'read', '--origin', 'https://a.example'], /^Only a key of scope ingest /],
    [['create', 'web', '--rate-limit', '0'], /^--rate-limit must be /],
    [['create', 'web', '--all-applications'], /^A key of scope ingest /],
    [['create', 'web', '--expires', '2021-01-01'], /^--expires must be a date .* in the future/],
    [['create', 'web', '--colour', 'red'], /'--colour'/],
    [['revoke', '7'], /^revoke needs the id of a key/],
    [['delete', 'shop'], /^There is no command "delete shop"/],
  ])('%j are refused', (args, message) => {
    expect(() => parseRequest(args)).toThrow(message);
  });

  it('say what a new key may do', () => {
    const args = ['create', 'shop', '--scope', 'read', '--all-applications', '--rate-limit', '60'];
    expect(parseRequest([...args, '--expires', '2999-12-31'])).toEqual({
      action: 'create',
      name: 'shop',
      options: {
        scope: 'read',
        allowed_origins: [],
        rate_limit: 60,
        all_applications: true,
        expires_at: expect.objectContaining({ text: '2999-12-31T23:59:59.999999Z' }),
      },
    });
  });

  it('change the limits of an application, or give them back to the setting', () => {
    expect(parseRequest(['limit', 'shop', '--types-limit', '7', '--past-limit', 'default'])).toEqual({
      action: 'limit',
      name: 'shop',
      changes: { types_limit: 7, past_limit: null },
    });
  });

  it('ask for help by nothing and by --help', () => {
    expect([parseRequest([]), parseRequest(['create', '--help'])]).toEqual([undefined, undefined]);
  });
});
