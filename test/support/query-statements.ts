import fc from 'fast-check';

/** Statements that POST /query/ permits. */
const SEEDS = [
  `SELECT * FROM events WHERE name = '10' AND timestamp > '2026-03-02' ORDER BY id LIMIT 3`,
  `WITH t AS (SELECT name, count() AS n FROM events GROUP BY name)
   SELECT e.category, sum(t.n) FROM events AS e LEFT JOIN t ON t.name = e.name GROUP BY 1`,
  `SELECT session_id, data.path, data_text FROM events
   WHERE session_id IN (SELECT session_id FROM events WHERE EXISTS (SELECT 1 FROM events)) LIMIT 5`,
  `SELECT arrayJoin(groupArray(session_id)) AS s FROM events GROUP BY category UNION ALL SELECT toString(count()) FROM events`,
  `SELECT max(toFloat64(name)) OVER (PARTITION BY category ORDER BY timestamp), COLUMNS('n') FROM events LIMIT 2`,
];

/** Words that a statement could reach beyond the events with. */
const DANGEROUS =
  `{db} . system tables SETTINGS additional_table_filters = {} file merge \` " ' -- /* */ ; copied PREWHERE FORMAT OR 1
  application != 'own' _part NOT -> equals`.split(/\s+/);

/** Keywords, names, texts and symbols are alike. */
const kindOf = (part: string): number =>
  [/^[A-Z]+$/, /^\w+$/, /^'/, /^/].findIndex((kind) => kind.test(part));

/** Words, texts and symbols of a statement. */
const partsOf = (sql: string): string[] => sql.match(/'[^']*'|\w+|\S/g) ?? [];

const KINDS = ['remove', 'insert', 'repeat', ...Array.from({ length: 9 }, () => 'replace' as const)] as const;

/** Permitted statements of which one or two words were removed, inserted, repeated, or replaced by others of their kind. */
export function mutatedStatements(database: string): fc.Arbitrary<string> {
  const words = [...new Set(SEEDS.flatMap(partsOf)), ...DANGEROUS, '(a, b) -> 1'];
  const mutation = fc.record({ kind: fc.constantFrom(...KINDS), at: fc.nat(60), choice: fc.nat(1000) });
  const mutations = fc.array(mutation, { minLength: 1, maxLength: 2 });
  return fc.tuple(fc.constantFrom(...SEEDS), mutations).map(([seed, changes]) => {
    const parts = partsOf(seed);
    for (const { kind, at, choice } of changes) {
      const place = at % parts.length;
      const part = parts[place] ?? '';
      const among = kind === 'replace' ? words.filter((word) => kindOf(word) === kindOf(part)) : words;
      const word = among[choice % among.length] ?? '';
      const others = { remove: [], insert: [word, part], replace: [word], repeat: [part, part] }[kind];
      parts.splice(place, 1, ...others);
    }
    return parts.join(' ').replaceAll('{db}', database);
  });
}

/** Statements whose names are those of columns, tables and functions. */
export function namedStatements(database: string): fc.Arbitrary<string> {
  const name = fc.constantFrom(
    'application',
    'timestamp',
    'name',
    'data',
    'copied',
    'events',
    'least',
    'x',
    'id',
    database,
  );
  const { statement } = fc.letrec<{ source: string; value: string; statement: string }>((tie) => ({
    source: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constant('events'),
      fc.tuple(tie('source'), name).map(([from, as]) => `(SELECT * FROM ${from}) AS ${as}`),
      fc
        .tuple(tie('source'), name)
        .map(([from, as]) => `(WITH ${as} AS (SELECT * FROM ${from}) SELECT * FROM ${as})`),
      fc
        .tuple(tie('source'), tie('value'), name)
        .map(([from, value, as]) => `(SELECT *, ${value} AS ${as} FROM ${from})`),
      fc
        .tuple(tie('source'), name, name)
        .map(([from, as, table]) => `${from} CROSS JOIN (SELECT 'own' AS ${as}) AS ${table}`),
    ),
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom(`'own'`, '1', 'toFloat64(events.name)', 'toFloat64(name)'),
      tie('source').map((from) => `(SELECT count() FROM ${from})`),
      fc
        .tuple(name, tie('source'))
        .map(([as, from]) => `arrayMap(${as} -> (SELECT max(name) FROM ${from}), ['own'])`),
      fc.tuple(tie('value'), name).map(([value, as]) => `(${value} AS ${as})`),
    ),
    statement: fc
      .tuple(
        tie('value'),
        name,
        tie('source'),
        fc.constantFrom('1', 'toFloat64(name) > 0', `application = 'other' OR 1`),
      )
      .map(
        ([value, as, from, condition]) =>
          `WITH ${value} AS ${as} SELECT groupUniqArray(application), groupUniqArray(name), count() FROM ${from} WHERE ${condition}`,
      ),
  }));
  return statement;
}
