-- Failures know what could help: the text they were met with, the workbench that met them, how often and when.

ALTER TABLE kept.failure ADD COLUMN content VARCHAR;
ALTER TABLE kept.failure ADD COLUMN workbench VARCHAR;
ALTER TABLE kept.failure ADD COLUMN attempts INTEGER DEFAULT 1;
ALTER TABLE kept.failure ADD COLUMN run INTEGER;
ALTER TABLE kept.failure ADD COLUMN failed TIMESTAMP;

-- When the next run is to try again; NULL where only another text, model, rule or workbench can help.
CREATE OR REPLACE VIEW main.failures AS
SELECT *, CASE WHEN NOT retryable THEN NULL WHEN attempts < 2 THEN failed
               ELSE failed + to_minutes(least(power(4, attempts - 2), 1440)::BIGINT) END AS again
FROM kept.failure;

-- A text that did not fit into memory is explained in windows; how many is kept beside its scores, and is no faithfulness.
CREATE OR REPLACE VIEW main.faithfulness AS SELECT * FROM kept.score WHERE method NOT IN ('tokenizer', 'factors', 'quality', 'memory');
CREATE VIEW main.windows AS SELECT document, role, model, value::INTEGER AS windows FROM kept.score WHERE method = 'memory';

COMMENT ON COLUMN kept.failure.content IS 'fingerprint of the document''s texts when it failed';
COMMENT ON COLUMN kept.failure.workbench IS 'version of the workbench that failed';
COMMENT ON COLUMN kept.failure.attempts IS 'how many runs have tried';
COMMENT ON COLUMN kept.failure.run IS 'number of the last run that tried';
COMMENT ON COLUMN kept.failure.failed IS 'when the last try failed, UTC';
COMMENT ON VIEW main.failures IS 'documents that could not be explained';
COMMENT ON COLUMN main.failures.corpus IS 'name of the corpus';
COMMENT ON COLUMN main.failures.identifier IS 'name of the document within its corpus';
COMMENT ON COLUMN main.failures.fingerprint IS 'SHA-256 of the work that failed';
COMMENT ON COLUMN main.failures.stage IS 'where it failed';
COMMENT ON COLUMN main.failures.error IS 'what was said';
COMMENT ON COLUMN main.failures.retryable IS 'whether the same input can succeed later';
COMMENT ON COLUMN main.failures.content IS 'fingerprint of the document''s texts when it failed';
COMMENT ON COLUMN main.failures.workbench IS 'version of the workbench that failed';
COMMENT ON COLUMN main.failures.attempts IS 'how many runs have tried';
COMMENT ON COLUMN main.failures.run IS 'number of the last run that tried';
COMMENT ON COLUMN main.failures.failed IS 'when the last try failed, UTC';
COMMENT ON COLUMN main.failures.again IS 'from when on the next run tries again, UTC; NULL: when text, model, rules or workbench change';
COMMENT ON VIEW main.faithfulness IS 'evaluation scores of methods';
COMMENT ON COLUMN main.faithfulness.document IS 'number of the document in this store';
COMMENT ON COLUMN main.faithfulness.role IS 'which text of the document: text, text_a, text_b, source, reference, hypothesis';
COMMENT ON COLUMN main.faithfulness.model IS 'name of the model';
COMMENT ON COLUMN main.faithfulness.method IS 'method whose order was tested';
COMMENT ON COLUMN main.faithfulness.ordering IS 'signed or absolute relevance';
COMMENT ON COLUMN main.faithfulness.metric IS 'name of the score';
COMMENT ON COLUMN main.faithfulness.value IS 'the score';
COMMENT ON VIEW main.windows IS 'texts that were explained in windows because memory did not hold them whole';
COMMENT ON COLUMN main.windows.document IS 'number of the document in this store';
COMMENT ON COLUMN main.windows.role IS 'which text of the document: text, text_a, text_b, source, reference, hypothesis';
COMMENT ON COLUMN main.windows.model IS 'name of the model';
COMMENT ON COLUMN main.windows.windows IS 'how many windows; prediction and relevance are their mean';
