-- Adds deltas to the prefix sums, period end by period end.

CREATE FUNCTION fold_event_counts(changes event_count_changes[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO event_counts AS kept (grain, block, start, name, category, application, ends, counts)
  SELECT grain, block, start, name, category, application, ends, counts FROM event_count_blocks(changes)
  ON CONFLICT (grain, block, start, name, category, application) DO UPDATE SET (ends, counts) = (
    SELECT
      array_agg(ended ORDER BY ended),
      array_agg(
        coalesce(kept.counts[width_bucket(ended, kept.ends)], 0) +
        coalesce(excluded.counts[width_bucket(ended, excluded.ends)], 0) ORDER BY ended
      )
    FROM (SELECT unnest(kept.ends) UNION SELECT unnest(excluded.ends)) AS both_ends (ended)
  )
$$;
