import type { Event } from '../../../testing/the-eye.js';
import type { HttpResponse } from '../connection.js';
import type { Fault } from '../oracle.js';
import type { Wire } from '../wire.js';
import { MARKER } from './markers.js';

/** The application of the keys of requests to dialects. Only its good items are known one by one. */
export const DIALECT_APPLICATION = 'fuzz-dialects';

/** CloudEvents are answered as The Eye's own events. */
const SUCCESSES = [200, 202];

/** Checks that the good items of accepted requests are stored exactly once, whatever stood beside them. */
export class DialectLedger {
  /** Markers of good items, and where they were sent to. */
  private readonly acknowledged = new Map<string, string>();
  private readonly stored = new Map<string, number>();

  *record({ draft, tampered }: Wire, response: HttpResponse | undefined): Generator<Fault> {
    const { dialect } = draft;
    if (!dialect || !response || tampered) return;
    const { status, body } = response;
    // HEAD, and other methods than the operation's own, store nothing. Requests may have changed the limits of other applications.
    if (SUCCESSES.includes(status) && draft.method === undefined && draft.key === 'dialect')
      for (const each of dialect.neighbours) this.acknowledged.set(each, draft.operation.path);
    const mayFail = status === 429 || status === 503;
    if (isPlain({ draft }) && dialect.isValid && !SUCCESSES.includes(status) && !mayFail)
      yield {
        signature: `refused a valid request: ${draft.operation.path} ${status}`,
        detail: body.toString('utf8', 0, 600),
      };
  }

  /** @param event of DIALECT_APPLICATION */
  see(event: Event): void {
    for (const each of new Set(JSON.stringify(event.data).match(MARKER)))
      this.stored.set(each, (this.stored.get(each) ?? 0) + 1);
  }

  *verify(): Generator<Fault> {
    const counts = [...this.acknowledged].map(([each, path]) => ({
      each: `${each} of ${path}`,
      count: this.stored.get(each) ?? 0,
    }));
    const lost = counts.filter(({ count }) => count === 0);
    const repeated = counts.filter(({ count }) => count > 1);
    if (lost.length > 0)
      yield { signature: 'neighbours lost', detail: `${lost.length}, e.g. ${lost[0]?.each}` };
    if (repeated.length > 0)
      yield {
        signature: 'neighbours stored twice',
        detail: `${repeated.length}, e.g. ${repeated[0]?.each}`,
      };
  }
}

/** Whether nothing but the dialect has a say in the response to a request. */
const isPlain = ({
  draft: { key, method, suffix, headers, host, version, dialect },
}: Pick<Wire, 'draft'>): boolean =>
  key === 'dialect' &&
  method === undefined &&
  (suffix === '' || suffix === '/') &&
  headers.length === (dialect?.headers.length ?? 0) &&
  host === 'own' &&
  version === '1.1';
