import { statementName } from './statement-name.js';

describe('statementName()', () => {
  it.each([
    ['SELECT 1', 'SELECT'],
    ['SELECT a, b FROM events WHERE c = $1', 'SELECT events'],
    ['SELECT a FROM unnest($1::uuid[]) AS wanted (id)\n JOIN events ON true', 'SELECT events'],
    [
      'WITH stored AS (\n INSERT INTO events (id) SELECT 1 ON CONFLICT DO NOTHING) SELECT 1 FROM stored',
      'INSERT events',
    ],
    ['UPDATE keys SET revoked_at = now()', 'UPDATE keys'],
    ['DELETE FROM rejections WHERE id = $1', 'DELETE rejections'],
    ['INSERT INTO a (b) VALUES (1) ON CONFLICT DO UPDATE SET b = 1', 'INSERT a'],
    ['', ''],
  ])('names %j %s', (sql, name) => {
    expect(statementName(sql)).toBe(name);
  });
});
