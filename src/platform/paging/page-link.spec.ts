import type { FastifyRequest } from 'fastify';
import { pageLink } from './page-link.js';

const link = (
  url: string,
  cursor: string | null,
  { host = '127.0.0.1:8000', headers = {}, httpVersion = '1.1' } = {},
) =>
  pageLink(
    { url, host, headers, protocol: 'http', raw: { httpVersion, socket: {} } } as unknown as FastifyRequest,
    cursor,
  );

describe('pageLink()', () => {
  it('keeps the filters and replaces the cursor', () => {
    expect(link('/events/?category=page%20interaction&cursor=old', 'new')).toBe(
      'http://127.0.0.1:8000/events/?category=page+interaction&cursor=new',
    );
  });

  it('replaces the page number by the cursor', () => {
    expect(link('/events/?page=3&page_size=2', 'here')).toBe(
      'http://127.0.0.1:8000/events/?page_size=2&cursor=here',
    );
  });

  it('returns null without a cursor', () => {
    expect(link('/events/', null)).toBeNull();
  });

  it.each(['', 'no host', 'eye:port', '[', 'attacker.example'])(
    'returns only a path and a query for the Host header %j, which is not of this server',
    (host) => {
      expect(link('/events/', 'here', { host })).toBe('/events/?cursor=here');
    },
  );

  it.each(['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded', 'via'])(
    'returns only a path and a query for a request with the header %s, since its scheme is not known',
    (name) => {
      expect(link('/events/', 'here', { headers: { [name]: 'http' } })).toBe('/events/?cursor=here');
    },
  );

  it('returns only a path and a query for a request of HTTP/1.0, which proxies send', () => {
    expect(link('/events/', 'here', { httpVersion: '1.0' })).toBe('/events/?cursor=here');
  });
});
