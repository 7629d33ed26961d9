const words = (text: string): string[] => text.trim().split(/\s+/);

/**
 * The keywords of permitted statements, as ClickHouse's formatter writes them: in capitals. Everything else in capitals is
 * refused, so that syntax which is not known here, or which a later version adds, cannot be used. In particular SETTINGS,
 * FORMAT, INTO OUTFILE, RECURSIVE, MATERIALIZED, ENGINE, APPLY, FINAL, SAMPLE, PREWHERE, GLOBAL and COLLATE are missing,
 * and TOTALS, which an answer has no place for.
 */
export const KEYWORDS: ReadonlySet<string> = new Set([
  ...words(
    'WITH AS SELECT DISTINCT ON FROM WHERE GROUP BY ALL HAVING QUALIFY WINDOW ORDER LIMIT OFFSET TIES',
  ),
  ...words('UNION INTERSECT EXCEPT'),
  ...words('GROUPING SETS ROLLUP CUBE'),
  ...words('JOIN INNER LEFT RIGHT FULL OUTER CROSS ANY ASOF SEMI ANTI PASTE USING ARRAY'),
  ...words('ASC DESC NULLS FIRST LAST FILL TO STEP STALENESS INTERPOLATE'),
  ...words('AND OR NOT IN LIKE ILIKE BETWEEN IS NULL DIV MOD EXISTS'),
  ...words('CASE WHEN THEN ELSE END'),
  ...words('INTERVAL YEAR QUARTER MONTH WEEK DAY HOUR MINUTE SECOND MILLISECOND MICROSECOND NANOSECOND'),
  ...words('OVER PARTITION ROWS RANGE UNBOUNDED PRECEDING FOLLOWING CURRENT ROW FILTER RESPECT IGNORE'),
  ...words('COLUMNS REPLACE STRICT'),
]);
