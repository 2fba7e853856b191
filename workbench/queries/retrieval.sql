-- What was found for each query, and why: rank, passage, similarity, and the strongest pairs of words
-- parameter model (text, default none): only this model; several models stand apart
-- parameter composite (text, default none): only this composite
-- parameter corpus (text, default none): only queries of this corpus
-- parameter split (text, default none): only queries of this split
-- parameter query (text, default none): only this query
-- parameter strongest (integer, default 3): pairs of words shown for a passage
-- column relevant: by the judgements of the corpus, where the query has any
-- column precision, reciprocal_rank: of the query: relevant passages among those found, and 1 over the rank of the first
-- column recall, ndcg: of the query, where the pair's metadata says how many passages are relevant to it ("relevant")
-- column strongest: the pairs of words with the largest |interaction|
WITH found AS MATERIALIZED (
    SELECT p.explanation, p.corpus, p.model, p.composite, p.target, d.metadata ->> 'query' AS query, d.metadata ->> 'passage' AS passage,
           try_cast(d.metadata ->> 'rank' AS INTEGER) AS rank, try_cast(d.metadata ->> 'relevant' AS INTEGER) AS of_query, p.similarity,
           CASE p.label WHEN 'relevant' THEN true WHEN 'not judged relevant' THEN false END AS relevant, p.left_text
    FROM pairs p JOIN documents d ON d.document = p.document
    WHERE p.left_role = 'query' AND ($model::VARCHAR IS NULL OR p.model = $model) AND ($composite::VARCHAR IS NULL OR p.composite = $composite)
      AND ($corpus::VARCHAR IS NULL OR p.corpus = $corpus) AND ($split::VARCHAR IS NULL OR p.split = $split)
), judged AS (
    SELECT corpus, model, composite, target, query, count(*) FILTER (relevant) AS hits, max(rank) AS depth, max(of_query) AS of_query,
           coalesce(1 / min(rank) FILTER (relevant), 0) AS reciprocal_rank,
           coalesce(sum(1 / log2(rank + 1)) FILTER (relevant), 0) AS gain
    FROM found WHERE relevant IS NOT NULL GROUP BY ALL
), scored AS (
    SELECT * EXCLUDE (gain), hits / depth AS precision, hits / nullif(of_query, 0) AS recall,
           gain / nullif(list_sum([1 / log2(place + 1) for place in range(1, least(of_query, depth) + 1)]), 0) AS ndcg
    FROM judged
)
, strongest AS (
    SELECT f.explanation, i.left_form, i.right_form, i.relevance,
           row_number() OVER (PARTITION BY f.explanation ORDER BY abs(i.relevance) DESC, i.left_word, i.right_word) AS place
    FROM found f JOIN interactions i ON i.explanation = f.explanation
    WHERE i.left_kind = 'word' AND i.right_kind = 'word' AND ($query::VARCHAR IS NULL OR f.query = $query)
)
SELECT f.corpus, f.model, f.composite, f.target, f.query, f.rank, f.relevant, f.similarity, any_value(s.precision) AS precision,
       any_value(s.reciprocal_rank) AS reciprocal_rank, any_value(s.recall) AS recall, any_value(s.ndcg) AS ndcg, f.passage,
       string_agg(format('{}–{} {:+.3f}', w.left_form, w.right_form, w.relevance), ' · ' ORDER BY w.place) AS strongest
FROM found f
LEFT JOIN scored s ON s.corpus = f.corpus AND s.model = f.model AND s.composite = f.composite AND s.target = f.target AND s.query = f.query
LEFT JOIN strongest w ON w.explanation = f.explanation AND w.place <= $strongest::INTEGER
WHERE $query::VARCHAR IS NULL OR f.query = $query
GROUP BY f.corpus, f.model, f.composite, f.target, f.query, f.rank, f.relevant, f.similarity, f.passage, f.explanation
ORDER BY f.corpus, f.model, f.composite, f.target, f.query, f.rank, f.passage
