import { runCommand } from './commands.js';
import type { TheEye } from './the-eye.js';

export interface NewKey {
  id: string;
  key: string;
}

export const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

/** Who may make keys: the first key comes from the command line, all others over HTTP. */
export class Admin {
  private constructor(
    private readonly eye: TheEye,
    readonly key: string,
  ) {}

  static async of(eye: TheEye): Promise<Admin> {
    const { stdout, stderr } = await runCommand(
      { DATABASE_URL: eye.databaseUrl },
      'applications',
      'create',
      'administration',
      '--scope',
      'admin',
    );
    const key = /^Key +(\S+)$/m.exec(stdout)?.[1];
    if (key === undefined) throw new Error(`No key:\n${stdout}${stderr}`);
    return new Admin(eye, key);
  }

  get headers(): Record<string, string> {
    return bearer(this.key);
  }

  /** A new key of an application, which is made where it is missing. */
  async create(application: string, wishes: Record<string, unknown>): Promise<NewKey> {
    await this.eye.post('/applications/', { name: application }, this.headers);
    const { status, body } = await this.eye.post(`/applications/${application}/keys/`, wishes, this.headers);
    if (status !== 201) throw new Error(`No key: ${JSON.stringify(body)}`);
    return body as NewKey;
  }
}
