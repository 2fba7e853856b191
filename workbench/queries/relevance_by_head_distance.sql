-- Relevance by distance to the head for each class
-- parameter longest (integer, default 6): largest distance that is told apart
-- parameter model (text, default none): only this model; none: every model that is not a mere member of an ensemble
-- parameter composite (text, default none): only this composite
-- parameter label (text, default none): only this class explained
-- parameter corpus (text, default none): only documents of this corpus
-- parameter resamples (integer, default 1000): bootstrap resamples of the documents; above 2,000 documents, of 1,000 random blocks of them
-- parameter seed (integer, default 0): seed of the bootstrap
-- column distance: words from a word to its head, negative where the head stands before it, 0 for a root; the largest numbers hold what is farther
-- column lift, lift_low, lift_high: share of the relevance (by size) over share of the words, with the 95 % bootstrap interval over documents
-- column share, share_low, share_high: share of the sum of |relevance| of all words, with its interval
-- column mean, low, high: mean relevance of one word, with its interval
-- column documents, occurrences: documents, and words, that have it
-- rows placed of relevance: item = {distance} AND model = {model} AND composite = {composite} AND label IS NOT DISTINCT FROM {label}
WITH chosen AS (
    SELECT e.explanation, e.document, e.role FROM explanations e JOIN documents d ON d.document = e.document
    WHERE CASE WHEN $model::VARCHAR IS NULL THEN e.member_of IS NULL ELSE e.model = $model END
      AND ($composite::VARCHAR IS NULL OR e.composite = $composite) AND ($label::VARCHAR IS NULL OR e.label = $label)
      AND ($corpus::VARCHAR IS NULL OR d.corpus = $corpus) AND NOT contains(e.role, '~')
), placed AS (
    SELECT w.explanation, w.document, w.role, w.model, w.composite, w.label, w.word, w.form, w.lemma, w.upos, w.relation, w.sentence,
           w.relevance::DOUBLE AS relevance,
           CASE WHEN x.head IS NULL THEN 0 ELSE least(greatest(x.head - w.word, -$longest::INTEGER), $longest::INTEGER) END AS item
    FROM word_relevance w SEMI JOIN chosen c ON c.explanation = w.explanation
    JOIN words x ON x.document = w.document AND x.role = w.role AND x.word = w.word
    WHERE w.kind = 'word' AND w.upos IS DISTINCT FROM 'SPACE' AND (x.head IS NOT NULL OR x.relation IS NOT NULL)
), word AS MATERIALIZED (
    SELECT explanation, item, sum(abs(relevance)) AS size, sum(relevance) AS relevance, count(*) AS occurrences
    FROM placed GROUP BY explanation, item
), unit AS (
    SELECT explanation, document, model, composite, label,
           CASE WHEN (SELECT count(DISTINCT document) FROM chosen) > 2000 THEN (hash(document) % 1000)::INTEGER ELSE document END AS unit
    FROM explanations SEMI JOIN chosen USING (explanation)
)
SELECT u.model, u.composite, u.label, u.unit AS document, w.item, sum(w.size) AS size, sum(w.relevance) AS relevance,
       sum(w.occurrences)::BIGINT AS occurrences, count(DISTINCT u.document) AS documents
FROM word w JOIN unit u ON u.explanation = w.explanation GROUP BY u.model, u.composite, u.label, u.unit, w.item
UNION ALL
SELECT u.model, u.composite, u.label, u.unit, NULL, sum(w.size), sum(w.relevance), sum(w.occurrences)::BIGINT, count(DISTINCT u.document)
FROM word w JOIN unit u ON u.explanation = w.explanation GROUP BY u.model, u.composite, u.label, u.unit
ORDER BY ALL
