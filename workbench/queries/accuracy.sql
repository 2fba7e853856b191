-- Precision, recall and F1 of each class, and macro-F1 (row "macro")
-- parameter model (text, default none): only this model
-- parameter by (text, default probability): the prediction with the highest "probability" (mean over members) or most "votes"
-- parameter corpus (text, default none): only documents of this corpus
-- parameter split (text, default none): only documents of this split, or of its clean part ("test:clean": no text of an earlier split)
-- column label: the class, or "macro" for the plain mean over classes
-- column documents: documents labelled with the class
-- rows documents: ({label} = 'macro' OR label = {label}) AND document IN (SELECT document FROM predictions WHERE model = {model}) AND ($corpus IS NULL OR corpus = $corpus) AND ($split IS NULL OR (split = split_part($split, ':', 1) AND (NOT ends_with($split, ':clean') OR metadata ->> 'clean' = 'true')))
WITH best AS (
    SELECT document, role, model,
           arg_max(label, (CASE WHEN $by::VARCHAR = 'votes' THEN coalesce(votes, 0) ELSE 0 END, probability)) AS label
    FROM predictions GROUP BY ALL
), pair AS (
    SELECT b.model, d.label AS gold, b.label AS predicted
    FROM best b JOIN documents d ON d.document = b.document
    WHERE d.label IS NOT NULL AND ($model::VARCHAR IS NULL OR b.model = $model) AND ($corpus::VARCHAR IS NULL OR d.corpus = $corpus)
      AND ($split::VARCHAR IS NULL OR (d.split = split_part($split, ':', 1) AND (NOT ends_with($split, ':clean') OR d.metadata->>'clean' = 'true')))
), class AS (
    SELECT DISTINCT model, unnest([gold, predicted]) AS label FROM pair
), counted AS (
    SELECT c.model, c.label, count(*) FILTER (p.gold = c.label AND p.predicted = c.label) AS hits,
           count(*) FILTER (p.gold = c.label) AS documents, count(*) FILTER (p.predicted = c.label) AS claimed
    FROM class c JOIN pair p ON p.model = c.model GROUP BY c.model, c.label
), scored AS (
    SELECT model, label, coalesce(hits / nullif(claimed, 0), 0.0) AS precision, coalesce(hits / nullif(documents, 0), 0.0) AS recall,
           coalesce(2 * hits / nullif(documents + claimed, 0), 0.0) AS f1, documents
    FROM counted
)
SELECT model, label, precision, recall, f1, documents FROM (
    SELECT *, 0 AS last FROM scored
    UNION ALL SELECT model, 'macro', avg(precision), avg(recall), avg(f1), sum(documents)::BIGINT, 1 FROM scored GROUP BY model
) ORDER BY model, last, label
