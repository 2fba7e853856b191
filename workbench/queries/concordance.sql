-- A term in its contexts, the most relevant first
-- parameter term (text): a lemma or form
-- parameter label (text, default none): only this class explained
-- parameter model (text, default none): only this model; none: every model that is not a mere member of an ensemble
-- parameter limit (integer, default 20): contexts for each class
-- parameter width (integer, default 40): code points of context on each side
-- column left, form, right: the text before, the word, the text after
-- rows documents: corpus = {corpus} AND identifier = {identifier}
SELECT w.model, w.composite, w.label, d.corpus, d.identifier, d.label AS gold,
       substring(t.text, greatest(s.char_start - $width::INTEGER, 0) + 1, least($width::INTEGER, s.char_start)) AS "left",
       w.form, substring(t.text, s.char_end + 1, $width::INTEGER) AS "right", w.relevance
FROM word_relevance w
JOIN explanations e ON e.explanation = w.explanation
JOIN documents d ON d.document = w.document
JOIN words s ON s.document = w.document AND s.role = w.role AND s.word = w.word
JOIN segments t ON t.document = w.document AND t.role = w.role
WHERE w.kind = 'word' AND nfc_normalize($term) IN (nfc_normalize(w.lemma), nfc_normalize(w.form)) AND ($label::VARCHAR IS NULL OR w.label = $label)
  AND CASE WHEN $model::VARCHAR IS NULL THEN e.member_of IS NULL ELSE e.model = $model END
QUALIFY row_number() OVER (PARTITION BY w.model, w.composite, w.label ORDER BY w.relevance DESC, d.identifier, w.word) <= $limit::INTEGER
ORDER BY w.model, w.composite, w.label, w.relevance DESC, d.identifier, w.word
