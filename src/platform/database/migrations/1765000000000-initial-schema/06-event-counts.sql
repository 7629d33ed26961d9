-- Counts of events as prefix sums. Triggers append deltas to event_count_changes, which has no index; fold_event_counts
-- applies them.
-- A row of event_counts holds one block of time: counts[i] events lie in the block before ends[i]. The events before any
-- minute are four look-ups: earlier months, earlier days of the month, earlier half hours of the day, earlier minutes of
-- the hour. Times are UTC without a zone, for calendar arithmetic. grain is the dimension beside the application; '' stands
-- for all categories or names.

CREATE TABLE event_count_changes (
  minute timestamp(0) NOT NULL,
  application text NOT NULL,
  category text NOT NULL,
  name text NOT NULL,
  count bigint NOT NULL
);

CREATE TYPE event_count_grain AS ENUM ('application', 'category', 'type');

CREATE TYPE event_count_block AS ENUM ('hour', 'day', 'month', 'ever');

CREATE TABLE event_counts (
  grain event_count_grain NOT NULL,
  block event_count_block NOT NULL,
  start timestamp(0) NOT NULL,
  name text NOT NULL,
  category text NOT NULL,
  application text NOT NULL,
  ends timestamp(0)[] NOT NULL,
  counts bigint[] NOT NULL
) WITH (fillfactor = 80);

CREATE UNIQUE INDEX event_counts_unique ON event_counts (grain, block, start, name, category, application);
