-- Documents that could not be explained, why, and when they are tried again
-- parameter corpus (text, default none): only documents of this corpus
-- parameter limit (integer, default 100): at most so many rows
-- column stage: where it failed; column attempts: how many runs have tried
-- column next_try: by the next run, after a moment (UTC), or when something that could help has changed
SELECT corpus, identifier, stage, attempts,
       CASE WHEN stage = 'read' THEN 'when the corpus changes' WHEN again IS NULL THEN 'when text, model, rules or workbench change'
            WHEN attempts < 2 THEN 'by the next run' ELSE 'after ' || strftime(again, '%Y-%m-%d %H:%M') END AS next_try, error
FROM failures
WHERE $corpus::VARCHAR IS NULL OR corpus = $corpus ORDER BY ALL LIMIT $limit::INTEGER
