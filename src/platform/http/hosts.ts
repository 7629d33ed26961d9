import { LRUCache } from 'lru-cache';
import { isIP, isIPv6 } from 'node:net';
import { environment, itemsOf } from '../config/environment.js';

/** `known`: a host of this server. `unknown`: another host. `invalid`: not a host. */
export type HostVerdict = 'known' | 'unknown' | 'invalid';

/** `host[:port]` of RFC 9110. User information and percent-encoding are left out: no name of the DNS contains them. */
const HOST = /^(?:\[([\da-f:.]+)\]|([a-z\d_](?:[a-z\d._-]*[a-z\d_])?)\.?)(?::(\d{1,5}))?$/i;

const MAX_PORT = 65_535;

/** Hosts in memory. Clients use few; an attacker may send any number. */
const MAX_VERDICTS = 1000;

/** The name or address of a `Host`, in lower case and without brackets; undefined if it is invalid. */
export function hostName(host: string): string | undefined {
  const [, address, name, port = '0'] = HOST.exec(host) ?? [];
  if (Number(port) > MAX_PORT || (address !== undefined && !isIPv6(address))) return undefined;
  return (address ?? name)?.toLowerCase();
}

/**
 * Evaluates hosts. Known are all addresses, the names of the loopback interface, and `names`, in which `*.` stands for any
 * number of labels. Addresses are safe: an attacker can make a name of their own resolve to this server (DNS rebinding),
 * but not an address.
 */
export function hostEvaluator(names: readonly string[]): (host: string) => HostVerdict {
  const lowerCase = names.map((name) => name.toLowerCase());
  const exact = new Set(lowerCase);
  const suffixes = [
    '.localhost',
    ...lowerCase.filter((name) => name.startsWith('*.')).map((name) => name.slice(1)),
  ];
  const verdicts = new LRUCache<string, HostVerdict>({ max: MAX_VERDICTS });

  function evaluate(host: string): HostVerdict {
    const name = hostName(host);
    if (name === undefined) return 'invalid';
    const isKnown =
      isIP(name) !== 0 ||
      name === 'localhost' ||
      exact.has(name) ||
      suffixes.some((suffix) => name.length > suffix.length && name.endsWith(suffix));
    return isKnown ? 'known' : 'unknown';
  }

  return (host) => {
    let verdict = verdicts.get(host);
    if (verdict === undefined) verdicts.set(host, (verdict = evaluate(host)));
    return verdict;
  };
}

const { AUTH, HOST: OWN_HOST, PUBLIC_URL, ALLOWED_HOSTS } = environment;

/** Evaluates a host by `HOST`, `PUBLIC_URL` and `ALLOWED_HOSTS`. */
export const evaluateHost = hostEvaluator([
  OWN_HOST,
  ...(PUBLIC_URL === undefined ? [] : [hostName(new URL(PUBLIC_URL).host) ?? '']),
  ...itemsOf(ALLOWED_HOSTS),
]);

/**
 * Whether unknown hosts are refused. With `AUTH=required`, a page of an attacker has no key, so names
 * are checked only if some are configured.
 */
export const refusesUnknownHosts = AUTH === 'off' || PUBLIC_URL !== undefined || ALLOWED_HOSTS !== undefined;
