import { currentKey } from './key.js';

/** The state of the API as this page sees it. Events: `unauthenticated` when it requires a key, `reachable` on a change. */
export const connection = Object.assign(new EventTarget(), { reachable: true });

/** Time without any byte after which a request has failed. Longer than the API's own deadlines. */
const STALL_TIMEOUT_MS = 15_000;

/** @type {number | undefined} Milliseconds from the viewer's clock to that of The Eye, by its last response. */
let clockOffset;

/** The time by the clock of The Eye. The clock of the viewer may be hours off. */
export const serverNow = () => Date.now() + (clockOffset ?? 0);

/** Like `serverNow`, but asks The Eye for the time if it has not responded yet. */
export async function fetchServerNow() {
  if (clockOffset === undefined) await fetchJson('/health/live');
  return serverNow();
}

/** @param {Response} response */
function readClock({ headers }) {
  const date = Date.parse(headers.get('date') ?? '');
  // The header has no fraction. Its second is rounded up, so that a range until now has the newest events.
  if (!Number.isNaN(date)) clockOffset = date + 1000 - Date.now();
}

/** A failed request. The message is shown on the page. */
export class ApiError extends Error {
  /**
   * @param {number} status the HTTP status; 0 without a response
   * @param {string} message
   * @param {unknown} [body] of the response
   */
  constructor(status, message, body) {
    super(message);
    this.status = status;
    this.body = body;
  }

  /** Whether a retry may succeed. */
  get isTransient() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** The message, with a note if the request is retried. */
  get displayMessage() {
    return this.isTransient ? `${this.message} Trying again…` : this.message;
  }
}

/**
 * The URL of a request. Omits parameters without a value.
 * @param {string} path
 * @param {Record<string, string | number | null | undefined>} [parameters]
 * @param {[name: string, value: string][]} [conditions] further parameters, also without a value
 */
export function addressOf(path, parameters = {}, conditions = []) {
  const given = Object.entries(parameters).filter(([, value]) => value != null && value !== '');
  const query = new URLSearchParams([...given.map(([name, value]) => [name, String(value)]), ...conditions]);
  return query.size === 0 ? path : `${path}?${query}`;
}

/**
 * The path of a session. A browser resolves the segments `.` and `..`, percent-encoded or not, so these ids go into the query.
 * @param {string} id
 * @param {Record<string, string | number | null | undefined>} [parameters]
 */
export function sessionAddress(id, parameters = {}) {
  const isResolved = id === '.' || id === '..';
  return isResolved
    ? addressOf('/sessions/_/', { session_id: id, ...parameters })
    : addressOf(`/sessions/${encodeURIComponent(id)}/`, parameters);
}

/**
 * The URL of an API path. It lies below the folder of this page, which a proxy may serve below a path of its own.
 * @param {string} path
 */
export function urlOf(path) {
  return new URL(path.replace(/^\//, ''), document.baseURI).href;
}

/**
 * @param {string | null} [key] to use instead of the stored one
 * @returns {Record<string, string>}
 */
function authorization(key = currentKey()) {
  return key === null ? {} : { authorization: `Bearer ${key}` };
}

/**
 * Sends a GET request to the API and parses the response.
 * @template Body
 * @param {string} address
 * @param {{ signal?: AbortSignal, key?: string }} [options] `key`: used instead of the stored one
 * @returns {Promise<Body>}
 * @throws ApiError, or the reason of `signal`
 */
export async function fetchJson(address, { signal, key } = {}) {
  return send(address, { signal, key }, ({ status, headers, body }, onProgress) => {
    if (!headers.get('content-type')?.includes('json'))
      throw new ApiError(status, `The response of ${address} is not from The Eye.`);
    const monitored = body?.pipeThrough(
      new TransformStream({
        transform(chunk, out) {
          onProgress();
          out.enqueue(chunk);
        },
      }),
    );
    return /** @type {Promise<Body>} */ (new Response(monitored).json());
  });
}

/**
 * @template Result
 * @param {string} address
 * @param {{ signal?: AbortSignal, key?: string, headers?: Record<string, string> }} options
 * @param {(response: Response, onProgress: () => void) => Result | Promise<Result>} read reads a successful response. A
 *   response that does not arrive completely has failed. `read` calls `onProgress` for each part that arrives
 * @returns {Promise<Result>}
 * @throws ApiError, or the reason of `signal`
 */
export async function send(address, { signal, key, headers }, read) {
  const stalled = new AbortController();
  let timer = 0;
  const onProgress = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stalled.abort(), STALL_TIMEOUT_MS);
  };
  onProgress();
  try {
    const response = await fetch(urlOf(address), {
      headers: { ...authorization(key), ...headers },
      signal: signal ? AbortSignal.any([signal, stalled.signal]) : stalled.signal,
      credentials: 'omit',
      cache: 'no-store',
    });
    readClock(response);
    if (!response.ok) throw await problemOf(response, key !== undefined);
    const result = await read(response, onProgress);
    setReachable(true);
    return result;
  } catch (error) {
    const hasResponse = error instanceof ApiError;
    if (!hasResponse) signal?.throwIfAborted();
    setReachable(hasResponse);
    throw hasResponse ? error : new ApiError(0, 'The Eye cannot be reached.');
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The error of a problem document (RFC 9457).
 * @param {Response} response
 * @param {boolean} isLogin whether the request tests a key; then 401 does not open the login
 */
async function problemOf(response, isLogin) {
  const { status } = response;
  if (status === 401 && !isLogin) connection.dispatchEvent(new Event('unauthenticated'));
  /** @type {{ detail?: string, errors?: Record<string, string[]> }} */
  const body = await response.json().catch(() => ({}));
  const fields = Object.entries(body.errors ?? {}).map(
    ([field, messages]) => `${field}: ${messages.join(' ')}`,
  );
  const message = [body.detail ?? `The Eye responded with ${status}.`, ...fields].join(' ');
  return new ApiError(status, message, body);
}

/** @param {boolean} reachable */
function setReachable(reachable) {
  if (connection.reachable === reachable) return;
  connection.reachable = reachable;
  connection.dispatchEvent(new Event('reachable'));
}
