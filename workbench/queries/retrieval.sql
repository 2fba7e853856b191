-- What was found for each query, and why: the words that made it rank
-- parameter model (text, default none): only this model; several models stand apart
-- parameter composite (text, default none): only this composite
-- parameter corpus (text, default none): only queries of this corpus
-- parameter split (text, default none): only queries of this split
-- parameter query (text, default none): only this query
-- parameter strongest (integer, default 3): pairs of words shown for a passage
-- column relevant: by the judgements of the corpus, where the query has any
-- column strongest: the pairs of words with the largest |interaction|
-- rows found of similarity: query = {query} AND passage = {passage} AND corpus = {corpus} AND model = {model} AND composite = {composite} AND target = {target}
WITH found AS MATERIALIZED (
    SELECT p.explanation, p.document, p.corpus, p.model, p.composite, p.target, d.metadata ->> 'query' AS query, d.metadata ->> 'passage' AS passage,
           try_cast(d.metadata ->> 'rank' AS INTEGER) AS rank, p.similarity,
           CASE p.label WHEN 'relevant' THEN true WHEN 'not judged relevant' THEN false END AS relevant
    FROM pairs p JOIN documents d ON d.document = p.document
    WHERE p.left_role = 'query' AND ($model::VARCHAR IS NULL OR p.model = $model) AND ($composite::VARCHAR IS NULL OR p.composite = $composite)
      AND ($corpus::VARCHAR IS NULL OR p.corpus = $corpus) AND ($split::VARCHAR IS NULL OR p.split = $split)
), strongest AS (
    SELECT f.explanation, i.left_form, i.right_form, i.relevance,
           row_number() OVER (PARTITION BY f.explanation ORDER BY abs(i.relevance) DESC, i.left_word, i.right_word) AS place
    FROM found f JOIN interactions i ON i.explanation = f.explanation
    WHERE i.left_kind = 'word' AND i.right_kind = 'word' AND ($query::VARCHAR IS NULL OR f.query = $query)
)
SELECT f.corpus, f.model, f.composite, f.target, f.query, f.rank, f.relevant, f.similarity, f.passage,
       string_agg(format('{}–{} {:+.3f}', w.left_form, w.right_form, w.relevance), ' · ' ORDER BY w.place) AS strongest
FROM found f
LEFT JOIN strongest w ON w.explanation = f.explanation AND w.place <= $strongest::INTEGER
WHERE $query::VARCHAR IS NULL OR f.query = $query
GROUP BY f.corpus, f.model, f.composite, f.target, f.query, f.rank, f.relevant, f.similarity, f.passage, f.explanation
ORDER BY f.corpus, f.model, f.composite, f.target, f.query, f.rank, f.passage
