import { type CertificateProblem, certificateProblem } from '../errors/certificate-problem.js';

/** Why Redis cannot take events, although it can be reached. */
export interface RedisRefusal {
  /** The code of the reply of Redis. */
  readonly code: string;
  /** What it means, and what an operator can do. */
  readonly reason: string;
}

const CLUSTER =
  'REDIS_URL names a Redis Cluster, which The Eye does not support. Name a Redis that is not in cluster mode (cluster-enabled no)';
const CREDENTIALS = 'Redis does not accept the user name and password of REDIS_URL';

const REASONS: Readonly<Record<string, string>> = {
  WRONGPASS: CREDENTIALS,
  NOAUTH: 'Redis demands a password, and REDIS_URL has none that it accepts',
  NOPERM: 'The ACL of the user of REDIS_URL forbids a command that The Eye needs (see docs/operations.md)',
  MOVED: CLUSTER,
  CROSSSLOT: CLUSTER,
  CLUSTERDOWN: CLUSTER,
  READONLY:
    'REDIS_URL names a replica, perhaps a demoted primary. The Eye connects again until it finds a primary',
  OOM: 'Redis has no memory left (maxmemory)',
  MISCONF: 'Redis cannot write to its disk',
  NOREPLICAS: 'Redis has fewer replicas than its min-replicas-to-write',
  LOADING: 'Redis still reads its data from disk',
  SENTINEL: 'REDIS_URL names a Sentinel. Name the primary, or an address that follows it',
  MASTERDOWN: 'REDIS_URL names a replica that has lost its primary',
};

/** A script fails with the reply of its command inside its own. */
const CODE = new RegExp(`\\b(${Object.keys(REASONS).join('|')})\\b`);

/** Replies without a code of their own: to a password in Redis 5, and to a forbidden command within a script. */
const CODELESS: readonly (readonly [string, RegExp])[] = [
  ['WRONGPASS', /invalid password/],
  ['NOPERM', /user executing the script can't/],
];

/** Refusals of every use of a connection; the others concern writes. */
const OF_CONNECTION = new Set([
  'WRONGPASS',
  'NOAUTH',
  'MOVED',
  'CROSSSLOT',
  'READONLY',
  'SENTINEL',
  'MASTERDOWN',
]);

/** @returns undefined if the error is not a known refusal, such as a lost connection */
export function refusalOf(error: unknown): RedisRefusal | undefined {
  const { message = '' } = error as Error;
  const code = CODE.exec(message)?.[1] ?? CODELESS.find(([, text]) => text.test(message))?.[0];
  return code === undefined ? undefined : { code, reason: `${REASONS[code]} (${code})` };
}

/** Whether Redis refuses every command of the connection, and not only writes. */
export const refusesConnection = ({ code }: RedisRefusal): boolean => OF_CONNECTION.has(code);

const CERTIFICATE_PROBLEMS: Readonly<Record<CertificateProblem, string>> = {
  'unknown issuer': 'Redis has a certificate of an unknown issuer; name the CA by ?cacert=file in REDIS_URL',
  'other name': 'Redis has a certificate for another name than the host of REDIS_URL',
  expired: 'Redis has a certificate that has expired',
};

/** @param error undefined if the connection just ended */
export function describeConnectionError(error: Error | undefined): string {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code === undefined ? 'Redis cannot be reached' : `${describeCode(code)} (${code})`;
}

function describeCode(code: string): string {
  if (code === 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED')
    return 'Redis demands a client certificate; name it by ?cert=file&key=file in REDIS_URL';
  const problem = certificateProblem(code);
  return problem === undefined ? 'Redis cannot be reached' : CERTIFICATE_PROBLEMS[problem];
}
