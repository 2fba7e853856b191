-- The tokens of one document with their relevance for each class, as each model cuts the text
-- parameter identifier (text): the document
-- parameter corpus (text, default none): its corpus, where several have that identifier
-- parameter model (text, default none): only this model
-- parameter composite (text, default none): only this composite
-- parameter label (text, default none): only this class explained
-- column char_start, char_end: span in code points of the text, end exclusive, empty for special tokens
-- rows documents: corpus = {corpus} AND identifier = {identifier}
SELECT d.corpus, d.identifier, t.role, t.model, t.composite, t.label, t.token, t.piece, t.special, t.char_start, t.char_end, t.relevance, t.sensitivity
FROM token_relevance t JOIN documents d ON d.document = t.document
WHERE d.identifier = $identifier AND ($corpus::VARCHAR IS NULL OR d.corpus = $corpus) AND ($model::VARCHAR IS NULL OR t.model = $model)
  AND ($composite::VARCHAR IS NULL OR t.composite = $composite) AND ($label::VARCHAR IS NULL OR t.label = $label)
ORDER BY d.corpus, t.role, t.model, t.composite, t.label, t.token
