-- Relevance of positions in each layer, by position or by distance
-- parameter kind (text, default none): only "absolute" (additive embeddings), "rotary" or "relative" (biases on scores); "decoder_…" for a decoder's own
-- parameter layer (integer, default none): only this layer
-- parameter label (text, default none): only this class explained
-- parameter model (text, default none): only this model; an ensemble has no layers, its members have
-- parameter composite (text, default none): only this composite
-- parameter corpus (text, default none): only documents of this corpus
-- column layer: -1 for the embedding
-- column position: place in the text from 0; for "relative" the distance, key minus query
-- column mean, mean_size: mean relevance and mean |relevance| over the explanations that have the position
-- rows position_layers: kind = {kind} AND layer = {layer} AND position = {position} AND model = {model} AND composite = {composite} AND ($label IS NULL OR label = $label) AND ($corpus IS NULL OR document IN (SELECT document FROM documents WHERE corpus = $corpus))
SELECT r.model, r.composite, r.kind, r.layer, r.position, avg(r.relevance::DOUBLE) AS mean, avg(abs(r.relevance::DOUBLE)) AS mean_size,
       count(*) AS explanations
FROM position_layers r JOIN documents d ON d.document = r.document
WHERE ($kind::VARCHAR IS NULL OR r.kind = $kind) AND ($layer::INTEGER IS NULL OR r.layer = $layer)
  AND ($model::VARCHAR IS NULL OR r.model = $model) AND ($composite::VARCHAR IS NULL OR r.composite = $composite)
  AND ($label::VARCHAR IS NULL OR r.label = $label) AND ($corpus::VARCHAR IS NULL OR d.corpus = $corpus)
GROUP BY r.model, r.composite, r.kind, r.layer, r.position ORDER BY r.model, r.composite, r.kind, r.layer, r.position
