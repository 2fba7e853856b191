-- Interactions of classes of words over all pairs of texts
-- parameter by (text, default upos): classes: "upos", "relation", "lemma" (the form where there is none, without case) or "lexicon"
-- parameter model (text, default none): the model; needed where the store has factors of several
-- parameter composite (text, default none): the composite; needed where the store has factors of several
-- parameter measure (text, default none): "cosine" or "dot"; needed where the store has factors for both
-- parameter corpus (text, default none): only texts of this corpus
-- parameter role (text, default none): only texts of this role: text_a, query …
-- parameter texts (text, default distinct): each different text once ("distinct"), or as often as it stands in documents ("all")
-- parameter lexicon (text, default none): a file of lines term<TAB>category, for by=lexicon; terms are lemmas or forms, without case
-- parameter minimum (integer, default none): classes in fewer texts become one, "(rarer)"; by default 5 for lemmas, 1 otherwise
-- parameter limit (integer, default none): only so many pairs of classes, the largest |sum| first
-- column left, right: two classes, in alphabetical order: both orders are one row; "(none)" for words without a class
-- column sum: sum of their interactions over all pairs of different texts
-- column interactions, pairs: cells, and pairs of texts that have one
-- column mean: mean of one interaction, in units of the similarity
-- column share: share of the sum over all words of all pairs; none where that sum is not positive
-- column lift: share over the share of the cells
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
