-- Each class at a glance: documents labelled and predicted, what speaks for it and what against
-- parameter model (text, default none): only this model; none: every model that is not a mere member of an ensemble
-- parameter composite (text, default none): only this composite
-- parameter corpus (text, default none): only documents of this corpus
-- column labelled, predicted: documents that carry the class, and for which the model gives it the highest probability
-- column explanations, words: explanations of this class, and words they cover
-- column target_mean: mean of the explained target (logit)
-- column relevance_for, relevance_against: mean sum of positive and of negative word relevance of an explanation
-- rows explanations: model = {model} AND composite = {composite} AND label IS NOT DISTINCT FROM {label}
WITH best AS (
    SELECT document, role, model, arg_max(label, probability) AS label FROM predictions GROUP BY ALL
), chosen AS (
    SELECT e.*, d.label AS gold FROM explanations e JOIN documents d ON d.document = e.document
    WHERE CASE WHEN $model::VARCHAR IS NULL THEN e.member_of IS NULL ELSE e.model = $model END
      AND ($composite::VARCHAR IS NULL OR e.composite = $composite) AND ($corpus::VARCHAR IS NULL OR d.corpus = $corpus)
), sums AS (
    SELECT explanation, count(*) AS words, coalesce(sum(relevance::DOUBLE) FILTER (relevance > 0), 0) AS above,
           coalesce(sum(relevance::DOUBLE) FILTER (relevance < 0), 0) AS below
    FROM word_relevance SEMI JOIN chosen USING (explanation) WHERE kind = 'word' GROUP BY explanation
)
SELECT c.model, c.composite, c.label,
       (SELECT count(*) FROM documents d WHERE d.label = c.label AND ($corpus::VARCHAR IS NULL OR d.corpus = $corpus)) AS labelled,
       count(DISTINCT c.document) FILTER (b.label = c.label) AS predicted,
       count(*) AS explanations, coalesce(sum(s.words), 0)::BIGINT AS words, avg(c.target_value) AS target_mean,
       avg(s.above) AS relevance_for, avg(s.below) AS relevance_against
FROM chosen c
LEFT JOIN sums s ON s.explanation = c.explanation
LEFT JOIN best b ON b.document = c.document AND b.role = c.role AND b.model = c.model
GROUP BY c.model, c.composite, c.label ORDER BY ALL
