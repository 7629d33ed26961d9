import type { Operation } from './document.js';

type Row = Record<string, unknown>;

/** Records that are remembered of each kind; later ones take the place of earlier ones. */
const MAX_ROWS = 500;

/**
 * What was seen in earlier answers, so that requests can ask for what there is: by the first part of the path, rows of
 * the plain members of each object, those of the objects around it and the parameters of the path that led to it.
 */
export class KnownRecords {
  private readonly rows = new Map<string, Row[]>();
  private replaced = 0;

  private latestSecret: string | undefined;

  /** @param protectedValues names and ids of applications and keys that nobody may ask for: without them the run would end */
  constructor(private readonly protectedValues: ReadonlySet<unknown> = new Set()) {}

  record({ path }: Operation, parameters: Row, body: unknown): void {
    this.collect(kindOf(path), parameters, body);
  }

  /** The nth row, of the operation's own kind or of any. */
  row({ path }: Operation, nth: number, own: boolean): Row | undefined {
    const ownRows = this.rows.get(kindOf(path)) ?? [];
    const all = own && ownRows.length > 0 ? ownRows : ([...this.rows.values()][nth % this.rows.size] ?? []);
    return all[nth % all.length];
  }

  /** A key that was made in the run; it may be revoked by now. */
  latestKey(): string | undefined {
    return this.latestSecret;
  }

  private collect(kind: string, parent: Row, value: unknown): void {
    if (Array.isArray(value)) for (const item of value.slice(0, 20)) this.collect(kind, parent, item);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    const plain = Object.entries(value).filter(([, member]) => typeof member !== 'object');
    const row: Row = { ...parent, ...Object.fromEntries(plain) };
    if (
      kind === 'applications' &&
      (this.protectedValues.has(row['id']) || this.protectedValues.has(row['name']))
    )
      return;
    if (typeof row['key'] === 'string' && row['key'].startsWith('eye_')) this.latestSecret = row['key'];
    this.addRow(kind, row);
    for (const member of Object.values(value)) {
      if (typeof member === 'object') this.collect(kind, row, member);
      // The address of a page is the one way to a good cursor.
      if (typeof member === 'string' && /^https?:\/\/.*\?/.test(member) && URL.canParse(member))
        this.addRow(kind, Object.fromEntries(new URL(member).searchParams));
    }
  }

  private addRow(kind: string, row: Row): void {
    const rows = this.rows.get(kind) ?? [];
    this.rows.set(kind, rows);
    if (rows.length < MAX_ROWS) rows.push(row);
    else rows[this.replaced++ % MAX_ROWS] = row;
  }
}

const kindOf = (path: string): string => path.split('/', 2)[1] ?? '';
