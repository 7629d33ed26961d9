import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import type { Scope } from '../auth/caller.js';
import { type Application, ApplicationsRepository, type Key } from './applications.repository.js';
import { digestOf, generateApiKey, prefixOf } from '../auth/api-key.js';

/** An application's name is its identity, in every event that it sends: it never changes. */
export const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** What a new key is to allow. */
export interface KeyWishes {
  scope: Scope;
  /** Origins whose pages may send with it, e.g. `https://shop.example`. */
  allowed_origins?: string[];
  /** Events a minute; unset for the limit of all. */
  rate_limit?: number;
}

/** True for an origin as browsers send it: scheme, host, and the port where it is not the usual one. */
export function isOrigin(text: unknown): boolean {
  if (typeof text !== 'string' || !/^https?:\/\//.test(text) || !URL.canParse(text)) return false;
  return new URL(text).origin === text;
}

/** Trusted applications and their keys. */
@Injectable()
export class ApplicationsService {
  constructor(private readonly repository: ApplicationsRepository) {}

  /** By name, `limit` at the most, from after one on. */
  list(limit: number, after?: string): Promise<Application[]> {
    return this.repository.list(limit, after);
  }

  /** Undefined where there is one of this name. */
  create(name: string): Promise<Application | undefined> {
    return this.repository.create(name);
  }

  /** An application with its keys, revoked ones too. */
  async find(name: string): Promise<(Application & { keys: Key[] }) | undefined> {
    const application = await this.repository.find(name);
    return application && { ...application, keys: await this.repository.keys(name) };
  }

  /** All keys of all applications. */
  keys(): Promise<Key[]> {
    return this.repository.keys();
  }

  /** The new key and its secret, which nobody can ask for again; undefined where there is no such application. */
  async createKey(application: string, wishes: KeyWishes): Promise<(Key & { key: string }) | undefined> {
    const { scope, allowed_origins = [], rate_limit = null } = wishes;
    const key = generateApiKey(scope);
    const created = await this.repository.createKey({
      id: randomUUID(),
      application,
      scope,
      hash: Buffer.from(digestOf(key), 'base64url'),
      prefix: prefixOf(key),
      allowed_origins,
      rate_limit,
    });
    return created && { ...created, key };
  }

  /** False where there is no such key. Counts in every process within a few seconds. */
  revoke(id: string, application?: string): Promise<boolean> {
    return this.repository.revoke(id, application);
  }
}
