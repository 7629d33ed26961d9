import type { Operation } from './document.js';

type Row = Record<string, unknown>;

/** A link may be only a path and a query. */
const ANY_HOST = 'http://localhost';

/** Rows stored per kind; newer ones replace older ones. */
const MAX_ROWS = 500;

/** Levels of a response that are searched. A refused event is shown as it was sent, nested as deeply as a body may be. */
const MAX_DEPTH = 8;

/**
 * Records from earlier responses, so that requests can refer to existing objects. Rows are grouped by the first segment
 * of the path. A row contains the scalar members of an object and of its parents, and the path parameters of the request.
 */
export class KnownRecords {
  private readonly rows = new Map<string, Row[]>();
  private replaced = 0;

  private latestSecret: string | undefined;

  /** @param protectedValues names and ids of applications and keys that the run depends on, and that no request may change */
  constructor(private readonly protectedValues: ReadonlySet<unknown> = new Set()) {}

  /** Whether a path parameter names an application or a key that the run depends on. */
  isProtected({ path }: Operation, parameter: string): boolean {
    return kindOf(path) === 'applications' && this.protectedValues.has(parameter);
  }

  record({ path }: Operation, parameters: Row, body: unknown): void {
    this.collect(kindOf(path), parameters, body);
  }

  /** The nth row of the operation's own kind, or of any kind. */
  row({ path }: Operation, nth: number, own: boolean): Row | undefined {
    const ownRows = this.rows.get(kindOf(path)) ?? [];
    const all = own && ownRows.length > 0 ? ownRows : ([...this.rows.values()][nth % this.rows.size] ?? []);
    return all[nth % all.length];
  }

  /** The latest key created in the run, which may have been revoked since. */
  latestKey(): string | undefined {
    return this.latestSecret;
  }

  private collect(kind: string, parent: Row, value: unknown, depth = 0): void {
    if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return;
    if (Array.isArray(value)) {
      for (const item of value.slice(0, 20)) this.collect(kind, parent, item, depth + 1);
      return;
    }
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
      if (typeof member === 'object') this.collect(kind, row, member, depth + 1);
      // The URL of the next page is the only source of valid cursors.
      if (
        typeof member === 'string' &&
        /^(?:https?:\/)?\/.*\?/.test(member) &&
        URL.canParse(member, ANY_HOST)
      )
        this.addRow(kind, Object.fromEntries(new URL(member, ANY_HOST).searchParams));
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
