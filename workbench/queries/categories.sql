-- Relevance by category of a lexicon: does the model rely on place names, swear words, numbers?
-- parameter lexicon (text): file of lines term<TAB>category; terms are lemmas or forms of one or several words, without case
-- parameter by (text of category|term, default category): a row for each category, or for each of its terms
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
-- column item: category of the lexicon, or one of its terms with its `category`; a word counts in each of its categories
-- rows placed of relevance: CASE WHEN $by::VARCHAR = 'term' THEN term ELSE category END = {item} AND label IS NOT DISTINCT FROM {label} AND model = {model} AND composite = {composite}
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
    SELECT w.explanation, w.document, w.role, w.model, w.composite, w.label, w.word, w.form, w.lemma, w.upos, w.relevance::DOUBLE AS relevance,
           lower(nfc_normalize(w.form)) AS form_key, lower(nfc_normalize(coalesce(w.lemma, w.form))) AS lemma_key
    FROM word_relevance w SEMI JOIN chosen c ON c.explanation = w.explanation
    WHERE w.kind = 'word' AND w.upos IS DISTINCT FROM 'PUNCT' AND w.upos IS DISTINCT FROM 'SPACE'
), listed AS (
    SELECT term, category, string_split(term, ' ') AS parts, len(string_split(term, ' ')) AS size
    FROM (SELECT unnest($terms::VARCHAR[]) AS term, unnest($categories::VARCHAR[]) AS category)
), begun AS (
    -- where a term may begin: at its first word
    SELECT w.explanation, w.word, l.term, l.category, l.parts, l.size FROM word w JOIN listed l ON l.parts[1] = w.form_key
    UNION SELECT w.explanation, w.word, l.term, l.category, l.parts, l.size FROM word w JOIN listed l ON l.parts[1] = w.lemma_key
), whole AS (
    -- where all its words follow
    SELECT b.explanation, b.word, b.size, b.term, b.category
    FROM begun b JOIN word v ON v.explanation = b.explanation AND v.word >= b.word AND v.word < b.word + b.size
        AND b.parts[v.word - b.word + 1] IN (v.form_key, v.lemma_key)
    WHERE b.size > 1 GROUP BY ALL HAVING count(*) = b.size
    UNION SELECT explanation, word, size, term, category FROM begun WHERE size = 1
), held AS (
    -- a word counts once for each term and category, whatever terms cover it
    SELECT DISTINCT h.explanation, w.word, h.term, h.category
    FROM whole h JOIN word w ON w.explanation = h.explanation AND w.word >= h.word AND w.word < h.word + h.size
), placed AS (
    SELECT w.* EXCLUDE (form_key, lemma_key), h.term, h.category FROM held h JOIN word w ON w.explanation = h.explanation AND w.word = h.word
), counted AS (
    SELECT model, composite, label, document, CASE WHEN $by::VARCHAR = 'term' THEN term ELSE category END AS item,
           string_agg(DISTINCT category, ', ' ORDER BY category) AS category, any_value(relevance) AS relevance
    FROM placed GROUP BY model, composite, label, document, explanation, word, item
)
SELECT model, composite, label, document, item, any_value(category) AS category, sum(abs(relevance)) AS size,
       sum(relevance) AS relevance, count(*) AS occurrences
FROM counted GROUP BY model, composite, label, document, item
UNION ALL
SELECT model, composite, label, document, NULL AS item, NULL AS category, sum(abs(relevance)) AS size, sum(relevance) AS relevance,
       count(*) AS occurrences
FROM word GROUP BY ALL
ORDER BY ALL
