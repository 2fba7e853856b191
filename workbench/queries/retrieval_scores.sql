-- How well queries find what people judged relevant
-- parameter model (text, default none): only this model; several models stand apart
-- parameter composite (text, default none): only this composite
-- parameter corpus (text, default none): only queries of this corpus
-- parameter split (text, default none): only queries of this split
-- parameter by (text, default corpus): a row for all queries together ("corpus"), or for each ("query")
-- parameter resamples (integer, default 1000): bootstrap resamples of the queries
-- parameter seed (integer, default 0): seed of the bootstrap
-- column query: the query, or "all"
-- column metric: "precision" (relevant passages among those found), "reciprocal rank", and, where the pairs say how many passages are relevant, "recall" and "ndcg"
-- column mean, low, high: over queries with judgements, 95 % bootstrap interval over queries
-- column queries, depth: queries counted, and the largest rank kept
-- rows found of similarity: ({query} = 'all' OR query = {query}) AND corpus = {corpus} AND relevant IS NOT NULL AND model = {model} AND composite = {composite} AND target = {target}
WITH found AS MATERIALIZED (
    SELECT p.explanation, p.document, p.corpus, p.model, p.composite, p.target, d.metadata ->> 'query' AS query, d.metadata ->> 'passage' AS passage,
           try_cast(d.metadata ->> 'rank' AS INTEGER) AS rank, try_cast(d.metadata ->> 'relevant' AS INTEGER) AS of_query, p.similarity,
           CASE p.label WHEN 'relevant' THEN true WHEN 'not judged relevant' THEN false END AS relevant
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
           CASE WHEN of_query > 0 THEN gain / list_sum([1 / log2(place + 1) for place in range(1, least(of_query, depth) + 1)]) END AS ndcg
    FROM judged
), long AS (
    UNPIVOT (SELECT corpus, model, composite, target, query, depth, precision, recall, reciprocal_rank AS "reciprocal rank", ndcg FROM scored)
    ON precision, recall, "reciprocal rank", ndcg INTO NAME metric VALUE value
)
SELECT corpus, model, composite, target, CASE WHEN $by::VARCHAR = 'query' THEN query ELSE 'all' END AS query, metric, avg(value) AS mean,
       count(*) AS queries, max(depth) AS depth,
       list(value ORDER BY query) AS relevance_by_document, list(1.0 ORDER BY query) AS occurrences_by_document
FROM long GROUP BY ALL ORDER BY ALL
