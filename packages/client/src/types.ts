/** An event as The Eye takes it. */
export interface EyeEvent {
  session_id: string;
  category: string;
  name: string;
  data: object;
  /** UTC with microseconds. */
  timestamp: string | Date;
}

/** What a single event has of its own, instead of what the client would give it. */
export type EventFields = Partial<Pick<EyeEvent, 'session_id' | 'category' | 'timestamp'>>;

/**
 * What went wrong, for `onError`:
 * - `rejected`: The Eye refused the event, which is gone; `detail` says why
 * - `overflow`: the queue was full, and its oldest event is gone
 * - `refused`: The Eye, or something before it, refuses all requests with `status`, e.g. because of the key. The events wait.
 *   Reported once until a request succeeds
 * - `failed`: an event could not be queued, because `beforeSend`, its JSON or the disk failed; `detail` is the error
 */
export interface EyeProblem {
  code: 'rejected' | 'overflow' | 'refused' | 'failed';
  event?: EyeEvent;
  status?: number;
  detail?: unknown;
}

/** Where accepted events wait until The Eye has them. Keys sort by age. */
export interface Store {
  /** The keys of all events that wait, oldest first. */
  keys(): string[];
  /** The JSON of an event; nothing if another tab has sent it meanwhile. */
  get(key: string): string | null | undefined;
  /** A promise resolves once the event is durable, and `keys()` has it only from then on. */
  add(key: string, json: string): void | Promise<void>;
  remove(key: string): void;
  /** Resolves once what earlier processes left is read and all that was added is durable. */
  ready?(): Promise<void>;
  /** Runs the work unless another tab sends from this store now; resolves with whether it ran. */
  exclusively?(work: () => Promise<void>): Promise<boolean>;
  close?(): Promise<void>;
}

export interface EyeOptions {
  /** The address of The Eye, e.g. `https://eye.example`. */
  url: string;
  /** A key of scope `ingest`. */
  key?: string;
  /** The category of events that name none (`track`). */
  category?: string;
  /**
   * The session of events that name none: its id, or a function that returns it. By default a random one, which ends with the
   * tab or process, or after `sessionTimeout`.
   */
  session?: string | (() => string);
  /** Milliseconds without an event after which the next one starts a session (30 minutes). */
  sessionTimeout?: number;
  /** Milliseconds that an event waits for others (1,000). */
  interval?: number;
  /** Events in a request at most (100). */
  batch?: number;
  /** Events that wait at most; then the oldest is dropped (1,000 in browsers, 10,000 elsewhere). */
  maxQueued?: number;
  /** Milliseconds of a request at most (30,000). */
  timeout?: number;
  /** Milliseconds between two attempts at most (300,000). */
  maxDelay?: number;
  /** Whether requests of more than 1 KiB are compressed (true). */
  gzip?: boolean;
  /** Signals of the visitor to obey: with one of them, nothing is tracked. */
  respect?: readonly ('dnt' | 'gpc')[];
  /** Changes an event before it is queued, or drops it by returning nothing. */
  beforeSend?: (event: EyeEvent) => EyeEvent | null | undefined | void;
  onError?: (problem: EyeProblem) => void;
  fetch?: typeof fetch;
  /** Where events wait, instead of the default. */
  store?: Store;
}

/** Options in Node, Deno and Bun. */
export interface EyeNodeOptions extends EyeOptions {
  /** A folder for the queue. Without it, the queue is in memory, and ends with the process. */
  folder?: string;
}

export interface Eye {
  /**
   * Queues an event. Never throws or rejects.
   * @returns true once the event is accepted: it is in the queue, on disk if there is a `folder`. False if it was dropped
   */
  track(name: string, data?: object, fields?: EventFields): Promise<boolean>;
  /** Tracks that a page is seen, with its path, title, referrer and campaign in a browser. */
  page(data?: object): Promise<boolean>;
  /** Sends what waits at once, until a request fails. Never rejects. Resolves with whether the queue is empty then. */
  flush(): Promise<boolean>;
  /**
   * Sends what waits, for so many milliseconds at most (5,000), and stops. After the first attempt, which it makes at once, it
   * retries as always: with backoff from one second on, and not before `Retry-After`. A request under way at the end is aborted.
   * What is left stays in a durable queue. Never rejects.
   * @returns whether the queue is empty
   */
  close(timeout?: number): Promise<boolean>;
}
