-- Relevance of every attention head by class
-- parameter label (text, default none): only this class explained
-- parameter model (text, default none): only this model; an ensemble has no components, its members have
-- parameter composite (text, default none): only this composite
-- parameter corpus (text, default none): only documents of this corpus
-- column head: number of the head in its layer; the row of none is the sum of what was left out of the strongest
-- column mean, mean_size: mean relevance and mean |relevance| of the head in an explanation, its tokens summed; 0 where it was not kept
-- column share: share of mean_size in its class
-- column kept: explanations that keep the head at some token
-- column explanations: explanations whose heads were asked for
-- rows component_relevance: kind = 'heads' AND layer = {layer} AND unit = coalesce({head}, -1) AND model = {model} AND composite = {composite} AND label IS NOT DISTINCT FROM {label}
WITH chosen AS (
    SELECT e.explanation, e.model, e.composite, e.label FROM explanations e JOIN documents d ON d.document = e.document
    WHERE ($model::VARCHAR IS NULL OR e.model = $model) AND ($composite::VARCHAR IS NULL OR e.composite = $composite)
      AND ($label::VARCHAR IS NULL OR e.label = $label) AND ($corpus::VARCHAR IS NULL OR d.corpus = $corpus)
), asked AS (
    SELECT c.model, c.composite, c.label, r.layer, count(*) AS explanations
    FROM component_relevance r JOIN chosen c ON c.explanation = r.explanation WHERE r.kind = 'heads' AND r.token = -1 GROUP BY ALL
), head AS (
    SELECT c.model, c.composite, c.label, r.explanation, r.layer, r.unit, sum(r.relevance::DOUBLE) AS relevance
    FROM component_relevance r JOIN chosen c ON c.explanation = r.explanation WHERE r.kind = 'heads' GROUP BY ALL
), summed AS (
    SELECT model, composite, label, layer, unit, sum(relevance) AS relevance, sum(abs(relevance)) AS size, count(*) AS kept FROM head GROUP BY ALL
)
SELECT s.model, s.composite, s.label, s.layer, nullif(s.unit, -1) AS head, s.relevance / a.explanations AS mean, s.size / a.explanations AS mean_size,
       (s.size / a.explanations) / nullif(sum(s.size / a.explanations) OVER (PARTITION BY s.model, s.composite, s.label), 0) AS share,
       s.kept, a.explanations
FROM summed s
JOIN asked a ON a.model = s.model AND a.composite = s.composite AND a.label IS NOT DISTINCT FROM s.label AND a.layer = s.layer
ORDER BY s.model, s.composite, s.label, s.layer, head NULLS LAST
