import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { digestOf, generateApiKey, prefixOf } from '../auth/api-key.js';
import type { Scope } from '../auth/caller.js';
import { type Key, KeysRepository } from '../auth/keys.repository.js';
import { applicationExists, applicationNotFound, keyNotFound } from './application-errors.js';
import { type Application, ApplicationsRepository } from './applications.repository.js';

export const PAGE_SIZE = 100;

export interface KeyOptions {
  scope: Scope;
  /** Origins whose pages may send events with the key, e.g. `https://shop.example`. */
  allowed_origins?: string[];
  /** Events a minute; by default the limit of `RATE_LIMIT`. */
  rate_limit?: number;
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
   */
  list(after?: string): Promise<Application[]> {
    return this.applications.list(PAGE_SIZE, after);
  }

  /** @throws DomainError `already_exists` */
  async create(name: string): Promise<Application> {
    const application = await this.applications.create(name);
    if (!application) throw applicationExists();
    return application;
  }

  async createIfMissing(name: string): Promise<void> {
    await this.applications.create(name);
  }

  /**
   * An application with its keys, revoked ones included.
   * @throws NotFoundError
   */
  async find(name: string): Promise<Application & { keys: Key[] }> {
    const application = await this.applications.find(name);
    if (!application) throw applicationNotFound();
    return { ...application, keys: await this.keys.list(name) };
  }

  /** The keys of all applications, revoked ones included. */
  listKeys(): Promise<Key[]> {
    return this.keys.list();
  }

  /**
   * @returns the new key with its secret, which is not stored
   * @throws NotFoundError if the application does not exist
   */
  async createKey(application: string, options: KeyOptions): Promise<Key & { key: string }> {
    const { scope, allowed_origins = [], rate_limit = null } = options;
    const key = generateApiKey(scope);
    const created = await this.keys.create({
      id: randomUUID(),
      application,
      scope,
      hash: Buffer.from(digestOf(key), 'base64url'),
      prefix: prefixOf(key),
      allowed_origins,
      rate_limit,
    });
    if (!created) throw applicationNotFound();
    return { ...created, key };
  }

  /**
   * Every process rejects the key within two seconds.
   * @param application the name that the key must belong to; undefined for any
   * @throws NotFoundError
   */
  async revokeKey(id: string, application?: string): Promise<void> {
    if (!(await this.keys.revoke(id, application))) throw keyNotFound();
  }
}
