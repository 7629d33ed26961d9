import { setTimeout as wait } from 'node:timers/promises';
import type { Application } from './applications/application.js';
import type { DemoEvent } from './event.js';

/** The demo cannot continue. The message is for the user. */
export class DemoError extends Error {}

class UnreachableError extends DemoError {}

interface ApiResponse {
  status: number;
  retryAfter: number;
  body: {
    detail?: string;
    accepted?: number;
    ids?: string[];
    rejected?: unknown[];
    id?: string;
    key?: string;
    results?: unknown[];
  };
}

const REQUEST_TIMEOUT_MS = 30_000;
/** Attempts to send a batch while The Eye responds with 429 or 503. */
const MAX_ATTEMPTS = 60;

/** A client of the public API. */
export class EyeClient {
  private readonly keys = new Map<string, { id: string; key: string }>();

  /** @param key with the scope `admin`, for all applications; not needed with AUTH=off */
  constructor(
    private readonly url: string,
    private readonly key: string | undefined,
  ) {}

  /**
   * Creates the applications, an ingest key for each, and their event types.
   * @throws DemoError when The Eye cannot be reached or refuses a request
   */
  async prepare(applications: readonly Application[]): Promise<void> {
    for (const { name, origin, eventTypes = [] } of applications) {
      // 409: an earlier run has created it.
      await this.administer('POST', '/applications/', { name }, [201, 409]);
      const options = { scope: 'ingest', allowed_origins: [origin] };
      const { body } = await this.administer('POST', `/applications/${name}/keys/`, options, [201]);
      this.keys.set(name, { id: body.id ?? '', key: body.key ?? '' });
      for (const { category, name: type, mode, schema } of eventTypes)
        await this.administer(
          'PUT',
          `/event-types/${category}/${type}/?application=${name}`,
          { mode, schema },
          [200, 201],
        );
    }
  }

  /** Revokes the ingest keys that `prepare()` has created. */
  async revokeKeys(): Promise<void> {
    for (const [name, { id }] of this.keys)
      await this.administer('DELETE', `/applications/${name}/keys/${id}/`, undefined, [204]);
    this.keys.clear();
  }

  /**
   * Sends events like a page of the application. Repeats the request while The Eye is unavailable or limits the rate.
   * @throws DemoError when The Eye refuses the request for another reason
   */
  async send(
    { name, origin }: Application,
    events: DemoEvent[],
  ): Promise<{ accepted: number; refused: number }> {
    const headers = { origin, 'x-api-key': this.keys.get(name)?.key ?? '' };
    for (let attempt = 1; ; attempt++) {
      const { status, body, retryAfter } = await this.request('POST', '/events/', events, headers).catch(
        asUnavailable,
      );
      // 400: every event was refused.
      if (status === 202 || status === 400)
        return { accepted: body.ids?.length ?? 0, refused: body.rejected?.length ?? events.length };
      if ((status !== 503 && status !== 429) || attempt === MAX_ATTEMPTS)
        throw refused('POST /events/', status, body);
      await wait(retryAfter * 1000);
    }
  }

  /** Whether The Eye has events of the application. */
  hasEvents({ name }: Application): Promise<boolean> {
    return this.find({ application: name });
  }

  /** Whether an event without a mistake is stored. */
  isStored(
    { name: application }: Application,
    { session_id, category, name, timestamp }: DemoEvent,
  ): Promise<boolean> {
    const at = String(timestamp);
    const fields = { session_id, category, name } as Record<string, string>;
    return this.find({ application, ...fields, timestamp_after: at, timestamp_before: at });
  }

  private async find(filter: Record<string, string>): Promise<boolean> {
    const path = `/events/?${new URLSearchParams({ ...filter, page_size: '1' }).toString()}`;
    const { body } = await this.administer('GET', path, undefined, [200]);
    return body.results?.length === 1;
  }

  private async administer(
    method: string,
    path: string,
    body: unknown,
    expected: number[],
  ): Promise<ApiResponse> {
    const headers = this.key !== undefined && { authorization: `Bearer ${this.key}` };
    const response = await this.request(method, path, body, { ...headers });
    if (!expected.includes(response.status))
      throw refused(`${method} ${path}`, response.status, response.body);
    return response;
  }

  private async request(
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string>,
  ): Promise<ApiResponse> {
    try {
      const response = await fetch(new URL(path, this.url), {
        method,
        headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      const retryAfter = Number(response.headers.get('retry-after') ?? 1);
      const json = await response.json().catch(() => ({}));
      return { status: response.status, retryAfter, body: json as ApiResponse['body'] };
    } catch (error) {
      const { cause, message } = error as Error & { cause?: { code?: string } };
      const reason = cause?.code ?? message;
      throw new UnreachableError(
        `The Eye cannot be reached at ${this.url} (${reason}). Start it with: npm start`,
      );
    }
  }
}

/** Treats an unreachable server like a 503: it may be restarting, and events can always be sent again. */
function asUnavailable(error: unknown): ApiResponse {
  if (!(error instanceof UnreachableError)) throw error;
  return { status: 503, retryAfter: 1, body: { detail: error.message } };
}

function refused(request: string, status: number, { detail }: ApiResponse['body']): DemoError {
  const hint =
    status === 401 || status === 403
      ? ' The demo needs a key with the scope admin for all applications: KEY=… npm run demo (npm run applications -- create demo --scope admin --all-applications)'
      : '';
  return new DemoError(`The Eye refused ${request}: ${status} ${detail ?? ''}${hint}`);
}
