import { randomBytes } from 'node:crypto';
import { timeOrderedId } from '../platform/model/time-ordered-id.js';
import type { Caller } from './caller.js';

/** What is audited. Stable, for programs. */
export const AUDIT_ACTIONS = [
  'application.create',
  'application.update',
  'key.create',
  'key.revoke',
  'event_type.put',
  'event_type.delete',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** Who makes a change. */
export interface Actor {
  /** The prefix of a key, `cli` or `anybody`. */
  readonly name: string;
  readonly keyId?: string;
}

/** The command line. */
export const CLI: Actor = { name: 'cli' };

export function actorOf({ keyId, keyPrefix = 'anybody' }: Caller): Actor {
  return { name: keyPrefix, keyId };
}

/** The parts of an audit entry, as SQL over the row that was changed. */
interface AuditedChange {
  readonly action: AuditAction;
  readonly application: string;
  /** What was changed, for people: the id of a key, the name of an application, the category and name of a type. */
  readonly target: string;
  /** `jsonb`, without secrets. */
  readonly details: string;
}

/**
 * Common table expressions that make a change of one row and write its audit entry in the same statement, so that neither
 * exists without the other. The changed row is `changed`; a change of no row writes no entry.
 * @param change a statement that ends in `RETURNING`
 * @param parameters those of the statement so far; gets more
 */
export function audited(
  change: string,
  { action, application, target, details }: AuditedChange,
  actor: Actor,
  parameters: unknown[],
): string {
  const id = timeOrderedId(Date.now(), randomBytes(10).toString('hex'));
  const first = parameters.push(id, actor.name, actor.keyId ?? null) - 2;
  return `changed AS (${change}), audited AS (
    INSERT INTO audit (id, actor, actor_key_id, application, action, target, details)
    SELECT $${first}::uuid, $${first + 1}, $${first + 2}::uuid, ${application}, '${action}', ${target}, ${details}
    FROM changed
  )`;
}
