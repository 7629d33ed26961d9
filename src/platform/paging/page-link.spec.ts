import type { FastifyRequest } from 'fastify';
import { pageLink } from './page-link.js';

const link = (url: string, cursor: string | null, host = 'eye.example:8000') =>
  pageLink({ url, host, protocol: 'http' } as FastifyRequest, cursor);

describe('the link to a page', () => {
  it('keeps the filters and changes the cursor', () => {
    expect(link('/events/?category=page%20interaction&cursor=old', 'new')).toBe(
      'http://eye.example:8000/events/?category=page+interaction&cursor=new',
    );
  });

  it('leaves out the number of the page, which the cursor replaces', () => {
    expect(link('/events/?page=3&page_size=2', 'here')).toBe(
      'http://eye.example:8000/events/?page_size=2&cursor=here',
    );
  });

  it('is null where there is no such page', () => {
    expect(link('/events/', null)).toBeNull();
  });

  it.each(['', 'no host', 'eye:port', '['])('can be followed even where the Host header is %j', (host) => {
    expect(link('/events/', 'here', host)).toBe('http://localhost/events/?cursor=here');
  });
});
