-- What the softmax rule absorbs in each layer
-- parameter label (text, default none): only this class explained
-- parameter model (text, default none): only this model; an ensemble has no layers, its members have
-- parameter composite (text, default none): only this composite
-- parameter corpus (text, default none): only documents of this corpus
-- column layer: -1 for what happens outside every layer
-- column mean, mean_size: mean relevance and mean |relevance| of an explanation, in units of the target
-- column share: share of mean_size in the sum over the layers
-- rows layer_relevance: account = 'softmax' AND layer = {layer} AND model = {model} AND composite = {composite} AND ($label IS NULL OR label = $label) AND ($corpus IS NULL OR document IN (SELECT document FROM documents WHERE corpus = $corpus))
SELECT r.model, r.composite, r.layer, avg(r.relevance) AS mean, avg(abs(r.relevance)) AS mean_size,
       sum(abs(r.relevance)) / nullif(sum(sum(abs(r.relevance))) OVER (PARTITION BY r.model, r.composite), 0) AS share, count(*) AS explanations
FROM layer_relevance r JOIN documents d ON d.document = r.document
WHERE r.account = 'softmax' AND ($model::VARCHAR IS NULL OR r.model = $model) AND ($composite::VARCHAR IS NULL OR r.composite = $composite)
  AND ($label::VARCHAR IS NULL OR r.label = $label) AND ($corpus::VARCHAR IS NULL OR d.corpus = $corpus)
GROUP BY r.model, r.composite, r.layer ORDER BY r.model, r.composite, r.layer
