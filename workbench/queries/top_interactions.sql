-- The strongest interactions of two words of any two texts of a store
-- parameter by (text, default word): "word" (every interaction) or "lemma" (the strongest interaction of two lemmas stands for all of them)
-- parameter k (integer, default 100): interactions
-- parameter different (boolean, default false): only words of different forms and lemmas
-- parameter punctuation (boolean, default false): with punctuation and symbols
-- parameter model (text, default none): the model; needed where the store has factors of several
-- parameter composite (text, default none): the composite; needed where the store has factors of several
-- parameter measure (text, default none): "cosine" or "dot"; needed where the store has factors for both
-- parameter corpus (text, default none): only texts of this corpus
-- parameter role (text, default none): only texts of this role: text_a, query …
-- parameter texts (text, default distinct): each different text once ("distinct"), or as often as it stands in documents ("all")
-- column left_form, right_form, left_lemma, right_lemma, left_upos, right_upos: the two words
-- column left_word, right_word: their index in their text
-- column left_text, right_text: the two texts as identifier:role
-- column relevance: in units of the similarity
WITH given AS (
    SELECT f.explanation, e.document, e.role, e.model, e.composite, e.target, d.corpus, d.identifier, s.text
    FROM (SELECT DISTINCT explanation FROM factors) f
    JOIN explanations e ON e.explanation = f.explanation
    JOIN documents d ON d.document = e.document
    JOIN segments s ON s.document = e.document AND s.role = e.role
    WHERE ($model::VARCHAR IS NULL OR e.model = $model) AND ($composite::VARCHAR IS NULL OR e.composite = $composite)
      AND ($measure::VARCHAR IS NULL OR e.target = $measure) AND ($corpus::VARCHAR IS NULL OR d.corpus = $corpus)
      AND ($role::VARCHAR IS NULL OR e.role = $role)
), timed AS (
    SELECT *, row_number() OVER (PARTITION BY model, composite, target, text ORDER BY explanation) AS time FROM given
)
SELECT explanation, document, role, model, composite, target, corpus, identifier
FROM timed WHERE time = 1 OR $texts::VARCHAR = 'all' ORDER BY explanation
