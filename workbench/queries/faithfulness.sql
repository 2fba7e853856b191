-- Faithfulness scores of every method with intervals
-- parameter model (text, default none): only this model
-- parameter metric (text, default none): only this metric
-- parameter corpus (text, default none): only documents of this corpus
-- parameter resamples (integer, default 1000): bootstrap resamples of the documents
-- parameter seed (integer, default 0): seed of the bootstrap
-- column mean, low, high: mean over documents and its 95 % bootstrap interval (percentile)
-- rows faithfulness: model = {model} AND method = {method} AND ordering = {ordering} AND metric = {metric} AND ($corpus IS NULL OR document IN (SELECT document FROM documents WHERE corpus = $corpus))
SELECT f.model, f.method, f.ordering, f.metric, avg(f.value) AS mean, count(DISTINCT f.document) AS documents,
       list(f.value ORDER BY f.document, f.role) AS relevance_by_document, list(1 ORDER BY f.document, f.role) AS occurrences_by_document
FROM faithfulness f JOIN documents d ON d.document = f.document
WHERE ($model::VARCHAR IS NULL OR f.model = $model) AND ($metric::VARCHAR IS NULL OR f.metric = $metric)
  AND ($corpus::VARCHAR IS NULL OR d.corpus = $corpus)
GROUP BY f.model, f.method, f.ordering, f.metric ORDER BY f.model, f.metric, f.ordering, mean DESC, f.method
