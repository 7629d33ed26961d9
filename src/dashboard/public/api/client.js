import { currentKey } from './key.js';

/** How The Eye is doing as seen from here: `locked` when it asks for a key, `reachable` when that changes. */
export const connection = Object.assign(new EventTarget(), { reachable: true });

/** Milliseconds without a word after which a request counts as lost: The Eye itself answers sooner, if only that it cannot. */
const PATIENCE = 15_000;

/** Why a request has no result, in words for whoever looks at the page. */
export class AskError extends Error {
  /**
   * @param {number} status of HTTP; 0 where there was no answer
   * @param {string} message
   * @param {unknown} [body] of the answer
   */
  constructor(status, message, body) {
    super(message);
    this.status = status;
    this.body = body;
  }

  /** Whether asking again may help. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** For whoever sees that it is asked again where that may help. */
  get words() {
    return this.passing ? `${this.message} Trying again…` : this.message;
  }
}

/**
 * The address of a request, parameters without a value left out.
 * @param {string} path
 * @param {Record<string, string | number | null | undefined>} [parameters]
 */
export function addressOf(path, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value != null && value !== '');
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
  return query.size === 0 ? path : `${path}?${query}`;
}

/**
 * @param {string | null} [key] another one than the current
 * @returns {Record<string, string>}
 */
function authorization(key = currentKey()) {
  return key === null ? {} : { authorization: `Bearer ${key}` };
}

/**
 * Asks the API.
 * @template Answer
 * @param {string} address
 * @param {{ signal?: AbortSignal, key?: string }} [options] `key`: another one, which is being tried
 * @returns {Promise<Answer>}
 * @throws AskError; or the reason of `signal`
 */
export async function ask(address, { signal, key } = {}) {
  return send(address, { signal, key }, ({ body }, goesOn) => {
    const watched = body?.pipeThrough(
      new TransformStream({
        transform(chunk, out) {
          goesOn();
          out.enqueue(chunk);
        },
      }),
    );
    return /** @type {Promise<Answer>} */ (new Response(watched).json());
  });
}

/**
 * @template Result
 * @param {string} address
 * @param {{ signal?: AbortSignal, key?: string, headers?: Record<string, string> }} options
 * @param {(response: Response, goesOn: () => void) => Result | Promise<Result>} read a good answer: what does not arrive
 *   whole has not arrived. `goesOn` is to be called while some of it comes
 * @returns {Promise<Result>}
 * @throws AskError; or the reason of `signal`
 */
export async function send(address, { signal, key, headers }, read) {
  const late = new AbortController();
  let timer = 0;
  const goesOn = () => {
    clearTimeout(timer);
    timer = setTimeout(() => late.abort(), PATIENCE);
  };
  goesOn();
  try {
    const response = await fetch(address, {
      headers: { ...authorization(key), ...headers },
      signal: signal ? AbortSignal.any([signal, late.signal]) : late.signal,
      credentials: 'omit',
      cache: 'no-store',
    });
    if (!response.ok) throw await problemOf(response, key !== undefined);
    const result = await read(response, goesOn);
    reached(true);
    return result;
  } catch (error) {
    const answered = error instanceof AskError;
    if (!answered) signal?.throwIfAborted();
    reached(answered);
    throw answered ? error : new AskError(0, 'The Eye cannot be reached.');
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Reads what The Eye says is wrong.
 * @param {Response} response
 * @param {boolean} trying whether a key is only being tried
 */
async function problemOf(response, trying) {
  const { status } = response;
  if (status === 401 && !trying) connection.dispatchEvent(new Event('locked'));
  /** @type {{ detail?: string, errors?: Record<string, string[]> }} */
  const body = await response.json().catch(() => ({}));
  const fields = Object.entries(body.errors ?? {}).map(
    ([field, messages]) => `${field}: ${messages.join(' ')}`,
  );
  const words = [body.detail ?? `The Eye answered ${status}.`, ...fields].join(' ');
  return new AskError(status, words, body);
}

/** @param {boolean} reachable */
function reached(reachable) {
  if (connection.reachable === reachable) return;
  connection.reachable = reachable;
  connection.dispatchEvent(new Event('reachable'));
}
