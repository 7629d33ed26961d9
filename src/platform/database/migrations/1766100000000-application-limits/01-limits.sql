-- Limits of an application in place of the settings TYPES_LIMIT and PAST_LIMIT.
-- NULL means that the setting applies.

ALTER TABLE applications
  ADD COLUMN types_limit integer CHECK (types_limit >= 0),
  ADD COLUMN past_limit integer CHECK (past_limit > 0);
