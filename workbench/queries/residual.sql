-- Where relevance stands in each layer: words, special tokens and the rest
-- parameter kind (text, default residual): "residual" (output of the layer), "attention" or "mlp" (output of the block)
-- parameter label (text, default none): only this class explained
-- parameter model (text, default none): only this model; an ensemble has no components, its members have
-- parameter composite (text, default none): only this composite
-- parameter corpus (text, default none): only documents of this corpus
-- column placed: "word", "special", "uncovered" (tokens that touch no word) or "left out" (sum over the tokens that were not kept)
-- column mean, mean_size: mean sum of relevance and of |relevance| of an explanation
-- column share: share of mean_size in its layer
-- column tokens: tokens that were kept of an explanation, mean
-- rows placed of relevance: layer = {layer} AND placed = {placed} AND model = {model} AND composite = {composite}
WITH chosen AS (
    SELECT e.explanation, e.model, e.composite, e.document, e.role, e.tokenizer FROM explanations e JOIN documents d ON d.document = e.document
    WHERE ($model::VARCHAR IS NULL OR e.model = $model) AND ($composite::VARCHAR IS NULL OR e.composite = $composite)
      AND ($label::VARCHAR IS NULL OR e.label = $label) AND ($corpus::VARCHAR IS NULL OR d.corpus = $corpus)
), stream AS MATERIALIZED (
    SELECT c.*, r.layer, r.token, r.relevance::DOUBLE AS relevance
    FROM component_relevance r JOIN chosen c ON c.explanation = r.explanation WHERE r.kind = $kind::VARCHAR
), asked AS (
    SELECT model, composite, layer, count(*) AS explanations FROM stream WHERE token = -1 GROUP BY ALL
), covered AS (
    SELECT DISTINCT t.document, t.role, t.tokenizer, t.token
    FROM tokens t SEMI JOIN chosen c ON c.document = t.document AND c.tokenizer = t.tokenizer
    JOIN words w ON w.document = t.document AND w.role = t.role AND w.char_start < t.char_end AND t.char_start < w.char_end
    WHERE NOT t.special
), placed AS (
    SELECT s.model, s.composite, s.document, s.layer, s.token, s.relevance,
           CASE WHEN s.token = -1 THEN 'left out' WHEN t.special THEN 'special' WHEN v.token IS NULL THEN 'uncovered' ELSE 'word' END AS placed
    FROM stream s
    LEFT JOIN tokens t ON t.document = s.document AND t.role = s.role AND t.tokenizer = s.tokenizer AND t.token = s.token
    LEFT JOIN covered v ON v.document = s.document AND v.role = s.role AND v.tokenizer = s.tokenizer AND v.token = s.token
), summed AS (
    SELECT model, composite, layer, placed, sum(relevance) AS relevance, sum(abs(relevance)) AS size, count(*) FILTER (token >= 0) AS tokens
    FROM placed GROUP BY ALL
)
SELECT s.model, s.composite, s.layer, s.placed, s.relevance / a.explanations AS mean, s.size / a.explanations AS mean_size,
       s.size / nullif(sum(s.size) OVER (PARTITION BY s.model, s.composite, s.layer), 0) AS share, s.tokens / a.explanations AS tokens,
       a.explanations
FROM summed s JOIN asked a ON a.model = s.model AND a.composite = s.composite AND a.layer = s.layer
WHERE s.placed <> 'left out' OR s.size > 0
ORDER BY s.model, s.composite, s.layer, s.placed DESC
