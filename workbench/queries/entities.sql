-- Relevance by named entity: people, places, organisations, where the annotator recognises them
-- parameter by (text of type|mention, default type): a row for each type of entity, or for each entity as it is mentioned
-- parameter minimum_documents (integer, default 1): only what stands in at least so many documents
-- parameter limit (integer, default 1000): rows for each class
-- parameter label (text, default none): only this class explained
-- parameter model (text, default none): only this model; none: every model that is not a mere member of an ensemble
-- parameter composite (text, default none): only this composite
-- parameter corpus (text, default none): only documents of this corpus
-- parameter split (text, default none): only documents of this split, or of its clean part ("test:clean": no text of an earlier split)
-- parameter predicted (boolean, default false): only explanations of the class that the model predicts
-- parameter resamples (integer, default 1000): bootstrap resamples of the documents
-- parameter seed (integer, default 0): seed of the bootstrap
-- column share, share_low, share_high: share of the sum of |relevance| of all words, with the 95 % bootstrap interval over documents
-- column lift, lift_low, lift_high: that share over the share of the words: 1 is what their number alone would give
-- column mean, low, high: mean relevance of one word, with its interval
-- column documents, occurrences: documents, and words, that have it
-- column item: type of entity as the annotator names it, or an entity as it is mentioned, with its type as `category`
-- rows placed of relevance: CASE WHEN $by::VARCHAR = 'mention' THEN mention ELSE entity END = {item} AND label IS NOT DISTINCT FROM {label} AND model = {model} AND composite = {composite}
-- pattern (by=type) [entity={item} & explained={label}$also]
WITH best AS (
    SELECT document, role, model, arg_max(label, probability) AS label FROM predictions GROUP BY ALL
), chosen AS (
    SELECT e.explanation FROM explanations e JOIN documents d ON d.document = e.document
    LEFT JOIN best b ON b.document = e.document AND b.role = e.role AND b.model = e.model
    WHERE CASE WHEN $model::VARCHAR IS NULL THEN e.member_of IS NULL ELSE e.model = $model END
      AND ($composite::VARCHAR IS NULL OR e.composite = $composite) AND ($label::VARCHAR IS NULL OR e.label = $label)
      AND ($corpus::VARCHAR IS NULL OR d.corpus = $corpus) AND ($split::VARCHAR IS NULL OR (d.split = split_part($split, ':', 1) AND (NOT ends_with($split, ':clean') OR d.metadata->>'clean' = 'true')))
      AND (NOT $predicted::BOOLEAN OR e.label = b.label)
), word AS MATERIALIZED (
    SELECT w.explanation, w.document, w.role, w.model, w.composite, w.label, w.word, w.sentence, w.form, w.lemma, w.upos,
           w.relevance::DOUBLE AS relevance
    FROM word_relevance w SEMI JOIN chosen c ON c.explanation = w.explanation
    WHERE w.kind = 'word' AND w.upos IS DISTINCT FROM 'PUNCT' AND w.upos IS DISTINCT FROM 'SPACE'
), tagged AS (
    SELECT w.*, x.entity, w.word - row_number() OVER (PARTITION BY w.explanation, x.entity, w.sentence ORDER BY w.word) AS run
    FROM word w JOIN words x ON x.document = w.document AND x.role = w.role AND x.word = w.word WHERE x.entity IS NOT NULL
), placed AS (
    -- words of one type in a row are one mention
    SELECT *, string_agg(nfc_normalize(form), ' ') OVER (PARTITION BY explanation, entity, sentence, run ORDER BY word
                                                         ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS mention
    FROM tagged
)
SELECT model, composite, label, document, CASE WHEN $by::VARCHAR = 'mention' THEN mention ELSE entity END AS item,
       string_agg(DISTINCT entity, ', ' ORDER BY entity) AS category, sum(abs(relevance)) AS size, sum(relevance) AS relevance,
       count(*) AS occurrences
FROM placed GROUP BY model, composite, label, document, item
UNION ALL
SELECT model, composite, label, document, NULL AS item, NULL AS category, sum(abs(relevance)) AS size, sum(relevance) AS relevance,
       count(*) AS occurrences
FROM word GROUP BY ALL
ORDER BY ALL
