import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { runCommand } from '../../testing/commands.js';
import { eventually, type TheEye } from '../../testing/the-eye.js';

/** The ClickHouse of an Eye, asked past The Eye. */
export class Copy {
  constructor(private readonly eye: TheEye) {}

  get socket(): string {
    return /^unix:\/\/([^?]+)/.exec(this.eye.clickhouseUrl)?.[1] ?? '';
  }

  get database(): string {
    return /[?&]database=(\w+)/.exec(this.eye.clickhouseUrl)?.[1] ?? 'the_eye';
  }

  /** @returns the answer as text, in the format TabSeparated unless the statement says otherwise */
  async ask(sql: string): Promise<string> {
    const path = `/?database=${this.database}&output_format_json_quote_64bit_integers=1`;
    return new Promise((resolve, reject) => {
      const sent = request({ socketPath: this.socket, path, method: 'POST', timeout: 20_000 }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => (response.statusCode === 200 ? resolve(text) : reject(new Error(text))));
        response.on('error', reject);
      });
      sent.once('timeout', () => sent.destroy(new Error('no answer')));
      sent.once('error', reject).end(sql);
    });
  }

  async count(): Promise<number> {
    return Number(await this.ask('SELECT count() FROM events'));
  }

  /** Resolves once nothing waits to be copied. */
  async caughtUp(timeoutMs = 180_000): Promise<void> {
    await eventually(async () => {
      const [row] = await this.eye.sql<{ left: number; is_complete: boolean }>(
        `SELECT copy IS NOT NULL AND next_copy IS NULL AND batch_kind IS NULL AS is_complete,
           (SELECT count(*)::int FROM replication_log) AS left
         FROM replication_state`,
      );
      if (row?.left !== 0 || !row.is_complete) throw new Error(`The copy is behind: ${JSON.stringify(row)}`);
    }, timeoutMs);
  }

  /** Runs `npm run replication -- verify`. @returns its last line */
  async verify(): Promise<string> {
    const { DATABASE_URL, CLICKHOUSE_URL } = {
      DATABASE_URL: this.eye.databaseUrl,
      CLICKHOUSE_URL: this.eye.clickhouseUrl,
    };
    const env = { DATA_DIR: this.eye.dataDir, DATABASE_URL, CLICKHOUSE_URL };
    const { stdout, stderr } = await runCommand(env, 'replication', 'verify');
    return `${stdout}${stderr}`.trim();
  }

  /** The embedded server's process. */
  async pid(): Promise<number> {
    return Number(await readFile(join(this.eye.dataDir, 'clickhouse/clickhouse.pid'), 'utf8'));
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    process.kill(await this.pid(), signal);
  }
}

/** The output of a verification that found no difference. */
export const AGREES = /^ClickHouse has exactly the \d+ events of PostgreSQL\.$/;
