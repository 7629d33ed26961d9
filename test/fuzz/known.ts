import type { Operation } from './document.js';

type Row = Record<string, unknown>;

/** Records that are remembered of each kind; later ones take the place of earlier ones. */
const MOST = 500;

/**
 * What was seen in earlier answers, so that requests can ask for what there is: by the first part of the path, rows of
 * the plain members of each object, those of the objects around it and the parameters of the path that led to it.
 */
export class Known {
  private readonly rows = new Map<string, Row[]>();
  private learnt = 0;

  private latestSecret: string | undefined;

  /** @param spared names and ids of applications and keys that nobody may ask for: without them the run would end */
  constructor(private readonly spared: ReadonlySet<unknown> = new Set()) {}

  learn({ path }: Operation, parameters: Row, body: unknown): void {
    this.walk(kindOf(path), parameters, body);
  }

  /** The nth row, of the operation's own kind or of any. */
  row({ path }: Operation, nth: number, own: boolean): Row | undefined {
    const mine = this.rows.get(kindOf(path)) ?? [];
    const all = own && mine.length > 0 ? mine : ([...this.rows.values()][nth % this.rows.size] ?? []);
    return all[nth % all.length];
  }

  /** A key that was made in the run; it may be revoked by now. */
  secret(): string | undefined {
    return this.latestSecret;
  }

  private walk(kind: string, around: Row, value: unknown): void {
    if (Array.isArray(value)) for (const item of value.slice(0, 20)) this.walk(kind, around, item);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    const plain = Object.entries(value).filter(([, member]) => typeof member !== 'object');
    const row: Row = { ...around, ...Object.fromEntries(plain) };
    if (kind === 'applications' && (this.spared.has(row['id']) || this.spared.has(row['name']))) return;
    if (typeof row['key'] === 'string' && row['key'].startsWith('eye_')) this.latestSecret = row['key'];
    this.keep(kind, row);
    for (const member of Object.values(value)) {
      if (typeof member === 'object') this.walk(kind, row, member);
      // The address of a page is the one way to a good cursor.
      if (typeof member === 'string' && /^https?:\/\/.*\?/.test(member) && URL.canParse(member))
        this.keep(kind, Object.fromEntries(new URL(member).searchParams));
    }
  }

  private keep(kind: string, row: Row): void {
    const rows = this.rows.get(kind) ?? [];
    this.rows.set(kind, rows);
    if (rows.length < MOST) rows.push(row);
    else rows[this.learnt++ % MOST] = row;
  }
}

const kindOf = (path: string): string => path.split('/', 2)[1] ?? '';
