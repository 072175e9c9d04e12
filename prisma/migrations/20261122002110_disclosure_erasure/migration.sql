-- What was told under a consent ends: after the life of the data and DISCLOSURE_KEPT_DAYS its content, and what its fact's commitment opens with, are
-- erased. Whoever reads a row of the release before refuses it by keep_until before it looks at its content.
ALTER TABLE disclosures ALTER COLUMN content DROP NOT NULL;
ALTER TABLE disclosures ALTER COLUMN salt DROP NOT NULL;
ALTER TABLE disclosures ALTER COLUMN seed DROP NOT NULL;
ALTER TABLE disclosures ADD CONSTRAINT disclosures_erased_whole CHECK ((content IS NULL) = (salt IS NULL) AND (content IS NULL) = (seed IS NULL)
  AND (content IS NOT NULL OR holder_key IS NULL));
GRANT UPDATE (content, salt, seed, holder_key) ON disclosures TO tallystick_app;
CREATE INDEX disclosures_to_erase ON disclosures (shard, keep_until) WHERE content IS NOT NULL;
CREATE INDEX threshold_answers_to_erase ON threshold_answers (shard, bound_until) WHERE answer IS NOT NULL;

-- Consents of links that a release ended which did not know them, for a rolling upgrade: found among the links that ended lately.
CREATE INDEX links_ended ON links (shard, ended_at) WHERE ended_at IS NOT NULL;
