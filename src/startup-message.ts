import type { Role } from './platform/config/role.js';

interface StartedApp {
  role: Role;
  /** e.g. http://127.0.0.1:8000 */
  address: string;
  /** The address at which others reach it; undefined if it is not configured. */
  publicAddress?: string;
  databaseUrl: string;
  redisUrl: string;
  /** Undefined where there is no ClickHouse. */
  clickhouseUrl: string | undefined;
  /** Data folder of the embedded servers; undefined without any. */
  dataDir: string | undefined;
}

/** The start message: the addresses of the application and of its stores. */
export function describeStart({
  role,
  address,
  publicAddress,
  databaseUrl,
  redisUrl,
  clickhouseUrl,
  dataDir,
}: StartedApp): string {
  const lines: [string, string][] =
    role === 'worker'
      ? [['Worker', `stores events; health at ${address}/health/ready`]]
      : [
          ['Dashboard', `${address}/`],
          ['API', `${address}/events/`],
          ['Docs', `${address}/docs`],
        ];
  if (role !== 'worker' && publicAddress !== undefined) lines.push(['Public', `${publicAddress}/`]);
  lines.push(
    ['PostgreSQL', withoutPassword(databaseUrl)],
    ['Redis', withoutPassword(redisUrl)],
    [
      'ClickHouse',
      clickhouseUrl === undefined
        ? 'none, so there are no answers to questions'
        : withoutPassword(clickhouseUrl),
    ],
  );
  if (dataDir !== undefined) lines.push(['Data', dataDir]);
  return ['', 'The Eye is open.', ...lines.map(([name, value]) => `  ${name.padEnd(12)}${value}`), ''].join(
    '\n',
  );
}

/** Hides the password of a URL: between the user and the last `@`, and in the query. */
function withoutPassword(url: string): string {
  return url
    .replace(/(\/\/[^/?#]*?):[^?#]*@/, '$1:***@')
    .replace(/([?&][^=&#]*pass[^=&#]*=)[^&#]*/gi, '$1***');
}
