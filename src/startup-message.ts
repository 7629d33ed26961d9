import type { Role } from './platform/config/role.js';

interface StartedApp {
  role: Role;
  /** e.g. http://127.0.0.1:8000 */
  address: string;
  databaseUrl: string;
  redisUrl: string;
  /** Data folder of the embedded servers; undefined without any. */
  dataDir: string | undefined;
}

/** The start message: the addresses of the application and of its stores. */
export function describeStart({ role, address, databaseUrl, redisUrl, dataDir }: StartedApp): string {
  const lines: [string, string][] =
    role === 'worker'
      ? [['Worker', `stores events; health at ${address}/health/ready`]]
      : [
          ['Page', `${address}/`],
          ['API', `${address}/events/`],
          ['Docs', `${address}/docs`],
        ];
  lines.push(['PostgreSQL', withoutPassword(databaseUrl)], ['Redis', withoutPassword(redisUrl)]);
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
