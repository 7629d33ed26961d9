import type { FastifyRequest } from 'fastify';
import { pageLink } from './page-link.js';

const link = (url: string, cursor: string | null, host = 'eye.example:8000') =>
  pageLink({ url, host, protocol: 'http' } as FastifyRequest, cursor);

describe('pageLink()', () => {
  it('keeps the filters and replaces the cursor', () => {
    expect(link('/events/?category=page%20interaction&cursor=old', 'new')).toBe(
      'http://eye.example:8000/events/?category=page+interaction&cursor=new',
    );
  });

  it('replaces the page number by the cursor', () => {
    expect(link('/events/?page=3&page_size=2', 'here')).toBe(
      'http://eye.example:8000/events/?page_size=2&cursor=here',
    );
  });

  it('returns null without a cursor', () => {
    expect(link('/events/', null)).toBeNull();
  });

  it.each(['', 'no host', 'eye:port', '['])('returns a valid URL for the Host header %j', (host) => {
    expect(link('/events/', 'here', host)).toBe('http://localhost/events/?cursor=here');
  });
});
