-- Relevance by part of speech for each class
-- parameter model (text, default none): only this model; none: every model that is not a mere member of an ensemble
-- parameter composite (text, default none): only this composite
-- parameter label (text, default none): only this class explained
-- parameter corpus (text, default none): only documents of this corpus
-- column upos: universal part of speech; "special" and "uncovered" for relevance outside words, "none" where the annotator gives none
-- column mean, mean_size: mean relevance and mean |relevance| of one occurrence
-- column share: share of the class's sum of |relevance|
-- rows word_relevance: CASE WHEN kind = 'word' THEN coalesce(upos, 'none') ELSE kind::VARCHAR END = {upos} AND model = {model} AND composite = {composite} AND label IS NOT DISTINCT FROM {label}
-- pattern [upos={upos} & explained={label}$also]
WITH class AS (  -- whose relevance, as one number
    SELECT row_number() OVER (ORDER BY model, composite, label) AS class, * FROM (SELECT DISTINCT model, composite, label FROM explanations)
), chosen AS MATERIALIZED (
    SELECT e.explanation, k.class
    FROM explanations e JOIN documents d ON d.document = e.document
    JOIN class k ON k.model = e.model AND k.composite = e.composite AND k.label IS NOT DISTINCT FROM e.label
    WHERE CASE WHEN $model::VARCHAR IS NULL THEN e.member_of IS NULL ELSE e.model = $model END
      AND ($composite::VARCHAR IS NULL OR e.composite = $composite) AND ($label::VARCHAR IS NULL OR e.label = $label)
      AND ($corpus::VARCHAR IS NULL OR d.corpus = $corpus)
), counted AS (
    SELECT c.class, w.kind, w.upos, sum(w.relevance::DOUBLE) AS relevance, sum(abs(w.relevance::DOUBLE)) AS size,
           count(DISTINCT w.document) AS documents, count(*) AS occurrences
    FROM word_relevance w JOIN chosen c ON c.explanation = w.explanation
    GROUP BY ALL
), placed AS (
    SELECT n.model, n.composite, n.label, CASE WHEN kind = 'word' THEN coalesce(upos, 'none') ELSE kind::VARCHAR END AS upos,
           relevance / occurrences AS mean, size / occurrences AS mean_size, size, documents, occurrences
    FROM counted JOIN class n ON n.class = counted.class
)
SELECT model, composite, label, upos, mean, mean_size,
       size / nullif(sum(size) OVER (PARTITION BY model, composite, label), 0) AS share, documents, occurrences
FROM placed ORDER BY model, composite, label, share DESC, upos
