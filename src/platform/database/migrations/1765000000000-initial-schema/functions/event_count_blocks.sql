-- Turns deltas into blocks of prefix sums.

CREATE FUNCTION event_count_blocks(changes event_count_changes[]) RETURNS SETOF event_counts LANGUAGE sql AS $$
  SELECT grain, block, start, name, category, application,
    array_agg(ended ORDER BY ended), array_agg(running ORDER BY ended)
  FROM (
    SELECT
      (CASE grouping(category, name) WHEN 3 THEN 'application' WHEN 1 THEN 'category' ELSE 'type' END)::event_count_grain AS grain,
      block, start, coalesce(category, '') AS category, coalesce(name, '') AS name, application, ended,
      (sum(sum(count)) OVER (
        PARTITION BY grouping(category, name), block, start, category, name, application ORDER BY ended
      ))::bigint AS running
    FROM unnest(changes),
      LATERAL (VALUES
        ('hour'::event_count_block, date_trunc('hour', minute), minute + interval '1 minute'),
        ('day', date_trunc('day', minute), date_trunc('hour', minute) +
          CASE WHEN extract(minute FROM minute) < 30 THEN interval '30 minutes' ELSE interval '1 hour' END),
        ('month', date_trunc('month', minute), date_trunc('day', minute) + interval '1 day'),
        ('ever', '-infinity', date_trunc('month', minute) + interval '1 month')
      ) AS counted (block, start, ended)
    GROUP BY block, start, ended, application, ROLLUP (category, name)
  ) AS sums
  GROUP BY grain, block, start, name, category, application
$$;
