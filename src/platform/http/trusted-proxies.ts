import { BlockList, isIPv6 } from 'node:net';
import { environment, itemsOf } from '../config/environment.js';

const family = (address: string): 'ipv4' | 'ipv6' => (isIPv6(address) ? 'ipv6' : 'ipv4');

const proxies = new BlockList();
for (const item of itemsOf(environment.TRUSTED_PROXIES)) {
  const [address = '', prefix] = item.split('/');
  if (prefix === undefined) proxies.addAddress(address, family(address));
  else proxies.addSubnet(address, Number(prefix), family(address));
}

/** Whether an address is one of `TRUSTED_PROXIES`. IPv4 addresses that are mapped to IPv6 count as IPv4. */
export function isTrustedProxy(address: string | undefined): boolean {
  return address !== undefined && proxies.check(address, family(address));
}

/** Fastify's `trustProxy`: whose X-Forwarded headers decide `request.ip`, `request.host` and `request.protocol`. */
export const trustProxy =
  environment.TRUSTED_PROXIES === undefined
    ? false
    : (address: string | undefined): boolean => isTrustedProxy(address);
