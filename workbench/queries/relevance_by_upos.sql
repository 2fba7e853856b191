-- Relevance by part of speech for each class
-- parameter model (text, default none): only this model; none: every model that is not a mere member of an ensemble
-- parameter composite (text, default none): only this composite
-- parameter label (text, default none): only this class explained
-- parameter corpus (text, default none): only documents of this corpus
-- parameter resamples (integer, default 1000): bootstrap resamples of the documents; above 2,000 documents, of 1,000 random blocks of them
-- parameter seed (integer, default 0): seed of the bootstrap
-- column upos: universal part of speech; "special" and "uncovered" for relevance outside words, "none" where the annotator gives none
-- column mean, low, high: mean relevance of one occurrence, with the 95 % bootstrap interval over documents
-- column mean_size: mean |relevance| of one occurrence
-- column share, share_low, share_high: share of the class's sum of |relevance|, with its interval
-- column lift, lift_low, lift_high: share of the relevance of words (by size) over share of the words, with its interval
-- column documents, occurrences: documents, and words, that have it
-- rows word_relevance: CASE WHEN kind = 'word' THEN coalesce(upos, 'none') ELSE kind::VARCHAR END = {upos} AND model = {model} AND composite = {composite} AND label IS NOT DISTINCT FROM {label}
-- pattern [upos={upos} & explained={label}$also]
WITH chosen AS (
    SELECT e.explanation, e.document, e.role FROM explanations e JOIN documents d ON d.document = e.document
    WHERE CASE WHEN $model::VARCHAR IS NULL THEN e.member_of IS NULL ELSE e.model = $model END
      AND ($composite::VARCHAR IS NULL OR e.composite = $composite) AND ($label::VARCHAR IS NULL OR e.label = $label)
      AND ($corpus::VARCHAR IS NULL OR d.corpus = $corpus) AND NOT contains(e.role, '~')
), told AS (  -- a document says what it says of a class once, in whatever roles
    SELECT explanation, document, model, composite, label, min(explanation) OVER (PARTITION BY document, model, composite, label) AS one
    FROM explanations SEMI JOIN chosen USING (explanation)
), word AS MATERIALIZED (  -- names are written out after counting
    SELECT t.one, w.kind, w.upos, sum(abs(w.relevance::DOUBLE)) AS size, sum(w.relevance::DOUBLE) AS relevance, count(*) AS occurrences
    FROM word_relevance w JOIN told t ON t.explanation = w.explanation GROUP BY ALL
), unit AS (
    SELECT explanation AS one, model, composite, label,
           CASE WHEN (SELECT count(DISTINCT document) FROM chosen) > 2000 THEN (hash(document) % 1000)::INTEGER ELSE document END AS unit
    FROM told WHERE explanation = one
)
SELECT u.model, u.composite, u.label, u.unit AS document, w.kind = 'word' AS word,
       CASE WHEN w.kind = 'word' THEN coalesce(w.upos, 'none') ELSE w.kind::VARCHAR END AS item, sum(w.size) AS size,
       sum(w.relevance) AS relevance, sum(w.occurrences)::BIGINT AS occurrences, count(*) AS documents
FROM word w JOIN unit u ON u.one = w.one GROUP BY ALL ORDER BY ALL
