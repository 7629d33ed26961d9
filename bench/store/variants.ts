import type { TheEye } from '../../testing/the-eye.js';
import { logProgress } from '../support/progress.js';

const TEXTS =
  'application text NOT NULL, session_id text NOT NULL, category text NOT NULL, name text NOT NULL';
const REFERENCES = 'application smallint NOT NULL, session_id text NOT NULL, type smallint NOT NULL';
const OTHERS = 'data jsonb NOT NULL, timestamp timestamptz(6) NOT NULL, data_sha256 bytea NOT NULL';

/** A hundred events a second, which arrive up to a second late. PostgreSQL stores equal keys of an index once; few are in life. */
const ARRIVAL = `timestamptz '2026-01-01Z' + nextval('arrivals') * interval '10 ms' - random() * interval '1 s'`;

interface Variant {
  readonly columns: string;
  /** Of the unique index. */
  readonly unique: string;
  /** Of the other indexes. */
  readonly indexes: readonly string[];
}

const PRESENT: Variant = {
  columns: `id uuid NOT NULL, ${TEXTS}, ${OTHERS}`,
  unique: 'session_id, timestamp, application, category, name, data_sha256',
  indexes: ['timestamp, id', 'application, timestamp, id', 'category, timestamp, id'],
};

const WITH_REFERENCES: Variant = {
  columns: `id uuid NOT NULL, ${REFERENCES}, ${OTHERS}`,
  unique: 'session_id, timestamp, application, type, data_sha256',
  indexes: ['timestamp, id', 'application, timestamp, id', 'type, timestamp, id'],
};

/** Other forms of the table of events. What each would lose is in the section of the page. */
const VARIANTS: Readonly<Record<string, Variant>> = {
  'as it is': PRESENT,
  'list indexes without `id`': {
    ...PRESENT,
    indexes: ['timestamp', 'application, timestamp', 'category, timestamp'],
  },
  'no index on `category` and `application`': { ...PRESENT, indexes: ['timestamp, id'] },
  'numbers in the place of application, category and name': WITH_REFERENCES,
  'numbers, and list indexes without `id`': {
    ...WITH_REFERENCES,
    indexes: ['timestamp', 'application, timestamp', 'type, timestamp'],
  },
  'numbers, one list index, without `id` in the table': {
    ...WITH_REFERENCES,
    columns: `${REFERENCES}, ${OTHERS}`,
    indexes: ['timestamp'],
  },
};

export interface VariantSize {
  name: string;
  /** Bytes an event. */
  table: number;
  unique: number;
  others: number;
}

/** Copies stored events into tables of other forms, in the order in which they were stored, and measures these. */
export async function measureVariants(eye: TheEye): Promise<VariantSize[]> {
  const sizes: VariantSize[] = [];
  for (const [name, variant] of Object.entries(VARIANTS)) {
    logProgress(`store: the size of a table, ${name}`);
    sizes.push({ name, ...(await sizeOf(eye, variant)) });
  }
  return sizes;
}

async function sizeOf(
  eye: TheEye,
  { columns, unique, indexes }: Variant,
): Promise<Omit<VariantSize, 'name'>> {
  const names = [...columns.matchAll(/(\w+) \w+(?:\(6\))? NOT NULL/g)].map(([, column]) => column as string);
  const isReferenced = !names.includes('category');
  const values = names.map((column) => {
    if (column === 'application' && isReferenced) return '1';
    if (column === 'type') return `(hashtext(category || name) % 100)`;
    if (column === 'timestamp') return ARRIVAL;
    return column;
  });
  await eye.sqlAsSuperuser(`CREATE TEMPORARY SEQUENCE arrivals; CREATE TABLE variant (${columns}); CREATE UNIQUE INDEX variant_unique ON variant (${unique});
    ${indexes.map((index) => `CREATE INDEX ON variant (${index});`).join('\n')}
    DO $$ BEGIN
      FOR block IN 0 .. (SELECT pg_relation_size('events') / 8192 / 32) LOOP
        INSERT INTO variant SELECT ${values.join(', ')} FROM events
          WHERE ctid >= format('(%s,0)', block * 32)::tid AND ctid < format('(%s,0)', (block + 1) * 32)::tid;
      END LOOP;
    END $$`);
  const [row] = await eye.sqlAsSuperuser<Omit<VariantSize, 'name'>>(`
    SELECT pg_table_size('variant') / events AS table, pg_relation_size('variant_unique') / events AS unique,
      (pg_indexes_size('variant') - pg_relation_size('variant_unique')) / events AS others
    FROM (SELECT count(*)::float8 AS events FROM variant) AS counted`);
  await eye.sqlAsSuperuser('DROP TABLE variant');
  if (!row) throw new Error('A table has no size.');
  return row;
}
