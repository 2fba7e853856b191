-- The interactions of any two texts of a store, the strongest first
-- parameter left (text): the first text: as it is written, or identifier:role
-- parameter right (text): the second text
-- parameter corpus (text, default none): their corpus, where several have that identifier
-- parameter model (text, default none): the model; needed where the store has factors of several
-- parameter composite (text, default none): the composite; needed where the store has factors of several
-- parameter measure (text, default none): "cosine" or "dot"; needed where the store has factors for both
-- column left_kind, right_kind: "word", "special", "uncovered", "positions", "bias" or "softmax"
-- column left_word, right_word: index of the word in its text
-- column matched: "identical", "lemma" or "other"
-- column relevance: in units of the similarity; all cells sum to it
WITH named AS (
    SELECT s.document, s.role, d.corpus, s.text, s.text = $left::VARCHAR OR d.identifier || ':' || s.role = $left::VARCHAR AS is_left,
           s.text = $right::VARCHAR OR d.identifier || ':' || s.role = $right::VARCHAR AS is_right
    FROM (SELECT document, corpus, identifier FROM documents) d JOIN segments s ON s.document = d.document
    WHERE $corpus::VARCHAR IS NULL OR d.corpus = $corpus
)
SELECT e.explanation, e.document, e.role, e.model, e.composite, e.target, n.corpus, n.text, n.is_left, n.is_right
FROM named n JOIN explanations e ON e.document = n.document AND e.role = n.role
WHERE (n.is_left OR n.is_right) AND ($model::VARCHAR IS NULL OR e.model = $model) AND ($composite::VARCHAR IS NULL OR e.composite = $composite)
  AND ($measure::VARCHAR IS NULL OR e.target = $measure) AND EXISTS (FROM factors f WHERE f.explanation = e.explanation)
ORDER BY e.explanation
