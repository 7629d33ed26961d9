import { setTimeout as wait } from 'node:timers/promises';
import type { Application } from './applications/application.js';
import { PAYMENT_TYPE } from './spoil.js';
import type { DemoEvent } from './world.js';

/** Why the demo cannot go on, in words for whoever runs it. */
export class DemoError extends Error {}

class UnreachableError extends DemoError {}

interface Answer {
  status: number;
  retryAfter: number;
  body: {
    detail?: string;
    accepted?: number;
    ids?: string[];
    rejected?: unknown[];
    id?: string;
    key?: string;
  };
}

/** Milliseconds after which an answer is no longer awaited. */
const PATIENCE = 30_000;
/** How often events are sent again to an Eye that asks for time. */
const TRIES = 60;

/** An Eye, through its public API. */
export class TheEye {
  private readonly keys = new Map<string, { id: string; key: string }>();

  /** @param key of scope `admin`; none is needed with AUTH=off */
  constructor(
    private readonly url: string,
    private readonly key: string | undefined,
  ) {}

  /**
   * Makes the applications, a key to send with for each, and the type of a payment.
   * @throws DemoError where The Eye is not there, or does not let us
   */
  async prepare(applications: readonly Application[]): Promise<void> {
    for (const { name, origin } of applications) {
      // 409: it is there from the last time.
      await this.administer('POST', '/applications/', { name }, [201, 409]);
      const wishes = { scope: 'ingest', allowed_origins: [origin] };
      const { body } = await this.administer('POST', `/applications/${name}/keys/`, wishes, [201]);
      this.keys.set(name, { id: body.id ?? '', key: body.key ?? '' });
    }
    await this.administer('PUT', PAYMENT_TYPE.path, PAYMENT_TYPE.body, [200, 201]);
  }

  /** Revokes the keys, which nobody needs any more. */
  async leave(): Promise<void> {
    for (const [name, { id }] of this.keys)
      await this.administer('DELETE', `/applications/${name}/keys/${id}/`, undefined, [204]);
    this.keys.clear();
  }

  /**
   * Sends events as the pages of an application would, again while The Eye asks for time.
   * @returns how many were accepted and refused
   * @throws DemoError
   */
  async send(
    { name, origin }: Application,
    events: DemoEvent[],
  ): Promise<{ accepted: number; refused: number }> {
    const headers = { origin, 'x-api-key': this.keys.get(name)?.key ?? '' };
    for (let tries = 1; ; tries++) {
      const { status, body, retryAfter } = await this.request('POST', '/events/', events, headers).catch(
        away,
      );
      // 400: every single one was refused.
      if (status === 202 || status === 400)
        return { accepted: body.ids?.length ?? 0, refused: body.rejected?.length ?? events.length };
      if ((status !== 503 && status !== 429) || tries === TRIES) throw refused('send events', status, body);
      await wait(retryAfter * 1000);
    }
  }

  private async administer(method: string, path: string, body: unknown, good: number[]): Promise<Answer> {
    const headers = this.key !== undefined && { authorization: `Bearer ${this.key}` };
    const answer = await this.request(method, path, body, { ...headers });
    if (!good.includes(answer.status)) throw refused(`${method} ${path}`, answer.status, answer.body);
    return answer;
  }

  private async request(
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string>,
  ): Promise<Answer> {
    try {
      const response = await fetch(new URL(path, this.url), {
        method,
        headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(PATIENCE),
      });
      const retryAfter = Number(response.headers.get('retry-after') ?? 1);
      const answer = await response.json().catch(() => ({}));
      return { status: response.status, retryAfter, body: answer as Answer['body'] };
    } catch (error) {
      const { cause, message } = error as Error & { cause?: { code?: string } };
      const reason = cause?.code ?? message;
      throw new UnreachableError(
        `The Eye does not answer at ${this.url} (${reason}). Start it with: npm start`,
      );
    }
  }
}

/** One that was there before may be starting again, and sending again is always safe. */
function away(error: unknown): Answer {
  if (!(error instanceof UnreachableError)) throw error;
  return { status: 503, retryAfter: 1, body: { detail: error.message } };
}

function refused(what: string, status: number, { detail }: Answer['body']): DemoError {
  const hint =
    status === 401 || status === 403
      ? ' The demo needs a key of scope admin: KEY=… npm run demo (npm run applications -- create demo --scope admin)'
      : '';
  return new DemoError(`The Eye refused to let the demo ${what}: ${status} ${detail ?? ''}${hint}`);
}
