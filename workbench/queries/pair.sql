-- The interactions of one pair of texts, the strongest first
-- parameter identifier (text): the pair
-- parameter corpus (text, default none): its corpus, where several have that identifier
-- parameter model (text, default none): only this model
-- parameter composite (text, default none): only this composite
-- column left_kind, right_kind: "word", "special", "uncovered", "positions", "bias", "softmax", or "rest" (sum of all cells that were not kept)
-- column left_word, right_word: index of the word in its text
-- column match: "identical", "lemma", "translation" or "other"
-- column relevance: in units of the similarity; all cells sum to it
-- column share: relevance over similarity
-- rows documents: corpus = {corpus} AND identifier = {identifier}
SELECT p.corpus, p.identifier, p.model, p.composite, p.target, i.relevance, i.relevance / nullif(p.similarity, 0) AS share, i.matched AS match,
       i.left_upos, i.right_upos, i.left_relation, i.right_relation, i.left_word, i.right_word, i.left_kind, i.right_kind, i.left_lemma,
       i.right_lemma, i.left_form, i.right_form
FROM pairs p JOIN interactions i ON i.explanation = p.explanation
WHERE p.identifier = $identifier AND ($corpus::VARCHAR IS NULL OR p.corpus = $corpus) AND ($model::VARCHAR IS NULL OR p.model = $model)
  AND ($composite::VARCHAR IS NULL OR p.composite = $composite)
ORDER BY p.corpus, p.model, p.composite, abs(i.relevance) DESC, i.left_kind DESC, i.left_word, i.right_kind DESC, i.right_word
