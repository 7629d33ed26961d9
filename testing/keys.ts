import { randomUUID } from 'node:crypto';
import { digestOf, generateApiKey, prefixOf } from '../src/auth/api-key.js';
import type { TheEye } from './the-eye.js';

export interface NewKey {
  id: string;
  key: string;
}

export const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

/** The points that a response says are left of the quota of its key; undefined if it says nothing. */
export const pointsLeft = (headers: Headers): string | undefined =>
  /r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1];

/** Creates keys over HTTP, with a first key of scope `admin` for all applications. */
export class Admin {
  private constructor(
    private readonly eye: TheEye,
    readonly key: string,
  ) {}

  /** Writes the first key into the table, which is faster than `npm run applications`. */
  static async of(eye: TheEye): Promise<Admin> {
    const key = generateApiKey('admin');
    await eye.sql(
      `WITH application AS (INSERT INTO applications (name) VALUES ('administration') ON CONFLICT DO NOTHING)
       INSERT INTO keys (id, application, scope, all_applications, hash, prefix)
       VALUES ($1, 'administration', 'admin', true, $2, $3)`,
      [randomUUID(), Buffer.from(digestOf(key), 'base64url'), prefixOf(key)],
    );
    return new Admin(eye, key);
  }

  get headers(): Record<string, string> {
    return bearer(this.key);
  }

  /** Creates a key of an application, and the application if it does not exist. */
  async create(application: string, properties: Record<string, unknown>): Promise<NewKey> {
    await this.eye.post('/applications/', { name: application }, this.headers);
    const path = `/applications/${application}/keys/`;
    const { status, body } = await this.eye.post(path, properties, this.headers);
    if (status !== 201) throw new Error(`No key: ${JSON.stringify(body)}`);
    return body as NewKey;
  }
}
