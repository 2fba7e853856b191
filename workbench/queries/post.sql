-- The words of one document with their relevance for each class
-- parameter identifier (text): the document
-- parameter corpus (text, default none): its corpus, where several have that identifier
-- parameter model (text, default none): only this model; none: every model that is not a mere member of an ensemble
-- parameter composite (text, default none): only this composite
-- parameter label (text, default none): only this class explained
-- column kind: "word", "special" (all special tokens) or "uncovered" (all tokens that touch no word); together they sum to the tokens
-- column char_start, char_end: span in code points of the text, end exclusive
-- column share: relevance as a share of the document's greatest |relevance| for the same explanation
-- rows documents: corpus = {corpus} AND identifier = {identifier}
SELECT d.corpus, d.identifier, w.role, w.model, w.composite, w.label, w.kind::VARCHAR AS kind, w.word, w.form, w.lemma, w.upos, w.relation,
       s.char_start, s.char_end, w.relevance, w.sensitivity,
       w.relevance / nullif(max(abs(w.relevance)) OVER (PARTITION BY w.explanation), 0) AS share
FROM documents d
JOIN explanations e ON e.document = d.document
JOIN word_relevance w ON w.explanation = e.explanation AND w.document = d.document
LEFT JOIN words s ON s.document = w.document AND s.role = w.role AND s.word = w.word
WHERE d.identifier = $identifier AND ($corpus::VARCHAR IS NULL OR d.corpus = $corpus)
  AND CASE WHEN $model::VARCHAR IS NULL THEN e.member_of IS NULL ELSE e.model = $model END
  AND ($composite::VARCHAR IS NULL OR e.composite = $composite) AND ($label::VARCHAR IS NULL OR e.label = $label)
ORDER BY d.corpus, w.role, w.model, w.composite, w.label, w.kind, w.word
