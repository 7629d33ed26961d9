import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { digestOf, generateApiKey, prefixOf } from '../auth/api-key.js';
import { type Actor, actorOf } from '../auth/audit.js';
import { applicationNotFound, forbidden } from '../auth/auth-errors.js';
import { type Caller, type Scope, visibleApplication } from '../auth/caller.js';
import { type Key, type KeyFilter, KeysRepository } from '../auth/keys.repository.js';
import type { Timestamp } from '../platform/time/timestamp.js';
import { applicationExists, keyNotFound } from './application-errors.js';
import { type Application, ApplicationsRepository, type LimitChanges } from './applications.repository.js';

export const PAGE_SIZE = 100;

export interface KeyOptions {
  scope: Scope;
  /** Origins whose pages may send events with the key, e.g. `https://shop.example`. */
  allowed_origins?: string[];
  /** Events a minute; by default the limit of `RATE_LIMIT`. */
  rate_limit?: number;
  /** Whether the key reads, or administers, all applications. Always true with scope `metrics`. */
  all_applications?: boolean;
  /** By default the key does not expire. */
  expires_at?: Timestamp;
}

/** Trusted applications and their keys. */
@Injectable()
export class ApplicationsService {
  constructor(
    private readonly applications: ApplicationsRepository,
    private readonly keys: KeysRepository,
  ) {}

  /**
   * A page of applications ordered by name.
   * @param after the name after which the page begins
   * @param visible the only application that the caller sees; undefined if it sees all
   */
  list(after: string | undefined, visible: string | undefined): Promise<Application[]> {
    return this.applications.list(PAGE_SIZE, after, visible);
  }

  /** @throws DomainError `already_exists` */
  async create(name: string, caller: Caller): Promise<Application> {
    const application = await this.applications.create(name, actorOf(caller));
    if (!application) throw applicationExists();
    return application;
  }

  async createIfMissing(name: string, actor: Actor): Promise<void> {
    await this.applications.create(name, actor);
  }

  /**
   * An application with its keys, revoked ones included. A bound key sees no key for all applications.
   * @throws NotFoundError
   */
  async find(name: string, caller: Caller): Promise<Application & { keys: Key[] }> {
    const filter = keysOf(name, caller);
    const application = await this.applications.find(name);
    if (!application) throw applicationNotFound();
    return { ...application, keys: await this.keys.list(filter) };
  }

  /**
   * Changes limits of an application. Every process applies them within two seconds.
   * @throws NotFoundError
   */
  async update(name: string, changes: LimitChanges, actor: Actor): Promise<Application> {
    const application = await this.applications.update(name, changes, actor);
    if (!application) throw applicationNotFound();
    return application;
  }

  /** The keys of all applications, revoked ones included. */
  listKeys(): Promise<Key[]> {
    return this.keys.list();
  }

  /**
   * Creates a key for a caller. Only a caller for all applications may create a key that sees more than one.
   * @throws NotFoundError, DomainError `forbidden`
   */
  async createKeyAs(
    caller: Caller,
    application: string,
    options: KeyOptions,
  ): Promise<Key & { key: string }> {
    keysOf(application, caller);
    if (isForAll(options) && visibleApplication(caller) !== undefined) throw forbidden();
    return this.createKey(application, options, actorOf(caller));
  }

  /**
   * @returns the new key with its secret, which is not stored
   * @throws NotFoundError if the application does not exist
   */
  async createKey(application: string, options: KeyOptions, actor: Actor): Promise<Key & { key: string }> {
    const { scope, allowed_origins = [], rate_limit = null, expires_at } = options;
    const key = generateApiKey(scope);
    const created = await this.keys.create(
      {
        id: randomUUID(),
        application,
        scope,
        all_applications: isForAll(options),
        hash: Buffer.from(digestOf(key), 'base64url'),
        prefix: prefixOf(key),
        allowed_origins,
        rate_limit,
        expires_at: expires_at?.text ?? null,
      },
      actor,
    );
    if (!created) throw applicationNotFound();
    return { ...created, key };
  }

  /**
   * Revokes a key of an application. Every process rejects it within two seconds.
   * @throws NotFoundError
   */
  async revokeKeyAs(caller: Caller, id: string, application: string): Promise<void> {
    if (!(await this.keys.revoke(id, keysOf(application, caller), actorOf(caller)))) throw keyNotFound();
  }

  /**
   * Revokes a key of any application.
   * @throws NotFoundError
   */
  async revokeKey(id: string, actor: Actor): Promise<void> {
    if (!(await this.keys.revoke(id, {}, actor))) throw keyNotFound();
  }
}

/** The metrics of a process count the events of all applications. */
const isForAll = ({ scope, all_applications = false }: KeyOptions): boolean =>
  all_applications || scope === 'metrics';

/**
 * The keys of an application that a caller may see and change.
 * @throws NotFoundError if it may see none
 */
function keysOf(application: string, caller: Caller): KeyFilter {
  const visible = visibleApplication(caller);
  if (visible !== undefined && visible !== application) throw applicationNotFound();
  return { application, boundOnly: visible !== undefined };
}
