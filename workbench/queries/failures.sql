-- Documents that could not be explained, and why
-- parameter corpus (text, default none): only documents of this corpus
-- parameter limit (integer, default 100): at most so many rows
-- column stage: where it failed; column retryable: whether the same input can succeed later
SELECT corpus, identifier, stage, error, retryable FROM failures
WHERE $corpus::VARCHAR IS NULL OR corpus = $corpus ORDER BY ALL LIMIT $limit::INTEGER
