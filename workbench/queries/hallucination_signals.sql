-- Signs that a translation left its source: contributions, omission, probability and similarity side by side, least source first
-- parameter identifier (text, default none): only this sentence
-- parameter limit (integer, default 50): rows at most
-- parameter role (text, default hypothesis): whose text: "hypothesis" (a system's own translations), "reference", another role, or "all"
-- parameter model (text, default none): only this system; several systems stand apart
-- parameter composite (text, default none): only this method; several methods stand apart
-- parameter target (text, default none): only this kind of scalar explained
-- parameter corpus (text, default none): only sentences of this corpus
-- parameter split (text, default none): only sentences of this split
-- parameter languages (text, default none): only this direction: "fr-en"
-- column role: "hypothesis" is a system's own translation
-- column mean_share, min_share: mean and least source share of a step, the first left out: it has no prefix
-- column top_mean, top_min: mean over the steps, and least, of the largest single source token's share of source and prefix
-- column under_10, under_20, under_30, under_40, under_50: share of the steps whose source share is below .1, .2, .3, .4, .5
-- column omitted: share of the source's tokens, special ones left out, that no step took a hundredth of its source and prefix from
-- column least_total: what the least of these tokens gave to all steps together, in steps
-- column log_probability: mean log-probability of a token
-- column similarity, chrf: cosine to the source by a sentence encoder, and agreement with the reference, where they are known
-- rows documents: corpus = {corpus} AND identifier = {identifier}
WITH named AS (
    SELECT *, source_language || '-' || target_language AS languages, CASE role WHEN 'hypothesis:' || model THEN 'hypothesis' ELSE role END AS whose
    FROM translations
), chosen AS MATERIALIZED (
    SELECT explanation, document, identifier, corpus, languages, model, whose AS role, composite, target, role AS segment, text, source_text, log_probability FROM named
    WHERE ($role::VARCHAR = 'all' OR whose = $role) AND ($model::VARCHAR IS NULL OR model = $model)
      AND ($composite::VARCHAR IS NULL OR composite = $composite) AND ($target::VARCHAR IS NULL OR target = $target)
      AND ($corpus::VARCHAR IS NULL OR corpus = $corpus) AND ($split::VARCHAR IS NULL OR split = $split)
      AND ($languages::VARCHAR IS NULL OR languages = $languages)
  AND ($identifier::VARCHAR IS NULL OR identifier = $identifier)
), share AS (
    SELECT c.explanation, c.step, c.token, abs(c.relevance::DOUBLE) / nullif(s.source_size + s.prefix_size, 0) AS share
    FROM kept.contribution c SEMI JOIN chosen h ON h.explanation = c.explanation
    JOIN kept.step s ON s.explanation = c.explanation AND s.step = c.step WHERE c.side = 'source'
), stepped AS (
    SELECT explanation, step, sum(share) AS source, max(share) AS top FROM share WHERE step > 0 GROUP BY ALL
), given AS (
    SELECT s.explanation, s.token, max(s.share) AS most, sum(s.share) AS total
    FROM share s JOIN kept.explanation e ON e.explanation = s.explanation
    JOIN kept.token t ON t.document = e.document AND t.role = 'source' AND t.tokenizer = e.tokenizer AND t.token = s.token
    WHERE NOT t.special GROUP BY ALL
), signs AS (
    SELECT explanation, avg(source) AS mean_share, min(source) AS min_share, avg(top) AS top_mean, min(top) AS top_min,
           avg((source < 0.1)::INTEGER) AS under_10, avg((source < 0.2)::INTEGER) AS under_20, avg((source < 0.3)::INTEGER) AS under_30,
           avg((source < 0.4)::INTEGER) AS under_40, avg((source < 0.5)::INTEGER) AS under_50
    FROM stepped GROUP BY explanation
), omission AS (
    SELECT explanation, avg((most < 0.01)::INTEGER) AS omitted, min(total) AS least_total FROM given GROUP BY explanation
), quality AS (
    SELECT document, role, model, max(value) FILTER (metric = 'similarity_to_source') AS similarity, max(value) FILTER (metric = 'chrf') AS chrf
    FROM qualities GROUP BY ALL
)
SELECT c.corpus, c.languages, c.model, c.role, c.composite, c.target, c.identifier, s.mean_share, s.min_share, s.top_mean, c.log_probability, q.similarity, q.chrf,
       o.omitted, o.least_total, s.* EXCLUDE (explanation, mean_share, min_share, top_mean), c.source_text, c.text
FROM chosen c LEFT JOIN signs s ON s.explanation = c.explanation LEFT JOIN omission o ON o.explanation = c.explanation
LEFT JOIN quality q ON q.document = c.document AND q.role = c.segment AND q.model = c.model
ORDER BY s.mean_share NULLS LAST, c.corpus, c.identifier, c.model, c.role, c.composite, c.target LIMIT $limit::INTEGER
