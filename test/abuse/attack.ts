import type { Admin } from '../../testing/keys.js';
import type { TheEye } from '../../testing/the-eye.js';
import type { Client } from './client.js';

export const SCOPES = ['ingest', 'read', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** The Eye and the keys with which the runner prepares an attack. All keys belong to the application of the attacker. */
export interface Stage {
  readonly eye: TheEye;
  readonly admin: Admin;
  readonly keys: Readonly<Record<Scope, string>>;
}

/** Requests by which one caller may harm the others. */
export interface Attack {
  /** Describes the requests; unique. */
  name: string;
  /** Whether it belongs to the short form, in `npm test`. */
  short?: boolean;
  /** Scope of the key that is shown; without a key if it is undefined. */
  scope?: Scope;
  /** Points a minute of this key; RATE_LIMIT if it is undefined. */
  limit?: number;
  /** Requests at once. */
  senders: number;
  /** Milliseconds between two requests of a sender. */
  pauseMs?: number;
  /** Runs in the runner, before the good traffic is measured. */
  prepare?: (stage: Stage) => Promise<void>;
  /** Sends one request. Runs in the load process; ends early when `client.signal` is aborted. */
  request: (client: Client) => Promise<unknown>;
  /** A further question of the good reader, which the attack aims at. */
  question?: string;
  /** The only statuses that the attack may get. */
  statuses?: readonly number[];
}

/** The application of the attacker's keys. */
export const ATTACKER = 'attacker';

/** The application of the good sender and the good reader. */
export const GOOD = 'good';
