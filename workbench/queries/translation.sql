-- What each word of one translation took from where
-- parameter identifier (text): the document
-- parameter corpus (text, default none): its corpus, where several have that identifier
-- parameter model (text, default none): only this system
-- parameter composite (text, default none): only this method
-- column role: whose text: "hypothesis:" and the system, "reference", or another role
-- column generated: what was generated: "word", "special" or "uncovered"
-- column side: "source", "prefix" (what had been generated before)
-- column kind: what it took from there: "word", "special" or "uncovered"
-- column relevance: in units of what is explained
-- rows documents: corpus = {corpus} AND identifier = {identifier}
SELECT t.corpus, t.identifier, t.role, t.model, t.composite, t.target, c.generated::VARCHAR AS generated, c.word, c.side::VARCHAR AS side,
       c.kind::VARCHAR AS kind, c.other_word, c.upos, c.other_upos, c.relevance, c.other_form, c.form
FROM translations t JOIN word_contributions c ON c.explanation = t.explanation
WHERE t.identifier = $identifier AND ($corpus::VARCHAR IS NULL OR t.corpus = $corpus) AND ($model::VARCHAR IS NULL OR t.model = $model)
  AND ($composite::VARCHAR IS NULL OR t.composite = $composite)
ORDER BY t.corpus, t.role, t.model, t.composite, t.target, c.generated, c.word, c.side, c.kind, c.other_word
