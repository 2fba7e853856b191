-- Relevance by position in the sentence for each class
-- parameter absolute (boolean, default false): places counted in words from the start (the last number holds the rest), instead of equal parts
-- parameter parts (integer, default 10): equal parts, or words counted from the start
-- parameter model (text, default none): only this model; none: every model that is not a mere member of an ensemble
-- parameter composite (text, default none): only this composite
-- parameter label (text, default none): only this class explained
-- parameter corpus (text, default none): only documents of this corpus
-- parameter resamples (integer, default 1000): bootstrap resamples of the documents; above 2,000 documents, of 1,000 random blocks of them
-- parameter seed (integer, default 0): seed of the bootstrap
-- column position: part of the sentence, 1 is its beginning; or words from its start
-- column lift, lift_low, lift_high: share of the relevance (by size) over share of the words, with the 95 % bootstrap interval over documents
-- column share, share_low, share_high: share of the sum of |relevance| of all words, with its interval
-- column mean, low, high: mean relevance of one word, with its interval
-- column documents, occurrences: documents, and words, that have it
-- rows placed of relevance: item = {position} AND model = {model} AND composite = {composite} AND label IS NOT DISTINCT FROM {label}
WITH chosen AS (
    SELECT e.explanation, e.document, e.role FROM explanations e JOIN documents d ON d.document = e.document
    WHERE CASE WHEN $model::VARCHAR IS NULL THEN e.member_of IS NULL ELSE e.model = $model END
      AND ($composite::VARCHAR IS NULL OR e.composite = $composite) AND ($label::VARCHAR IS NULL OR e.label = $label)
      AND ($corpus::VARCHAR IS NULL OR d.corpus = $corpus) AND NOT contains(e.role, '~')
), extent AS (
    SELECT x.document, x.role, x.sentence, min(x.word) AS first, max(x.word) AS last FROM words x
    WHERE x.document IN (SELECT document FROM chosen) GROUP BY ALL
), placed AS (
    SELECT w.explanation, w.document, w.role, w.model, w.composite, w.label, w.word, w.form, w.lemma, w.upos, w.relation, w.sentence,
           w.relevance::DOUBLE AS relevance,
           CASE WHEN $absolute::BOOLEAN THEN least(w.word - x.first + 1, $parts::INTEGER) ELSE 1 + ((w.word - x.first) * $parts::INTEGER) // (x.last - x.first + 1) END AS item
    FROM word_relevance w SEMI JOIN chosen c ON c.explanation = w.explanation
    JOIN extent x ON x.document = w.document AND x.role = w.role AND x.sentence IS NOT DISTINCT FROM w.sentence
    WHERE w.kind = 'word' AND w.upos IS DISTINCT FROM 'SPACE'
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
