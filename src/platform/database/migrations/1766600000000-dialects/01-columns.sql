-- Milliseconds by which the server's clock was ahead of the client's, kept beside an event and not part of its identity.
ALTER TABLE events ADD COLUMN clock_skew_ms integer;

-- The protocol of a refused event, which is kept as its client sent it; null for The Eye's own.
ALTER TABLE rejections ADD COLUMN dialect text;
