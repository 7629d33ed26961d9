import type { Role } from './platform/config/role.js';

interface Started {
  role: Role;
  /** e.g. http://127.0.0.1:8000 */
  address: string;
  databaseUrl: string;
  redisUrl: string;
  /** Folder of the servers that The Eye brought itself, if any. */
  dataDir: string | undefined;
}

/** The few lines that say where everything is. */
export function describeStart({ role, address, databaseUrl, redisUrl, dataDir }: Started): string {
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

/** Hides what stands between the user and the last `@`, and what the query gives as a password. */
function withoutPassword(url: string): string {
  return url
    .replace(/(\/\/[^/?#]*?):[^?#]*@/, '$1:***@')
    .replace(/([?&][^=&#]*pass[^=&#]*=)[^&#]*/gi, '$1***');
}
