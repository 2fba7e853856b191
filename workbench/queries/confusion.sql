-- Labelled class against predicted class: number of documents
-- parameter model (text, default none): only this model
-- parameter by (text, default probability): the prediction with the highest "probability" (mean over members) or most "votes"
-- parameter corpus (text, default none): only documents of this corpus
-- parameter split (text, default none): only documents of this split, or of its clean part ("test:clean": no text of an earlier split)
-- column gold, predicted: labelled and predicted class
-- rows documents: label = {gold} AND document IN (SELECT document FROM best WHERE model = {model} AND label = {predicted}) AND ($corpus IS NULL OR corpus = $corpus) AND ($split IS NULL OR (split = split_part($split, ':', 1) AND (NOT ends_with($split, ':clean') OR metadata ->> 'clean' = 'true')))
WITH best AS (
    SELECT document, role, model,
           arg_max(label, (CASE WHEN $by::VARCHAR = 'votes' THEN coalesce(votes, 0) ELSE 0 END, probability)) AS label
    FROM predictions GROUP BY ALL
)
SELECT b.model, d.label AS gold, b.label AS predicted, count(*) AS documents
FROM best b JOIN documents d ON d.document = b.document
WHERE d.label IS NOT NULL AND ($model::VARCHAR IS NULL OR b.model = $model) AND ($corpus::VARCHAR IS NULL OR d.corpus = $corpus)
  AND ($split::VARCHAR IS NULL OR (d.split = split_part($split, ':', 1) AND (NOT ends_with($split, ':clean') OR d.metadata->>'clean' = 'true')))
GROUP BY ALL ORDER BY ALL
