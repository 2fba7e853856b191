-- Total contribution of a source token by its position; 1 is the average token
-- parameter position (text of relative|absolute, default relative): "relative" (each source in `bins` equal parts) or "absolute" (1 is the first token)
-- parameter bins (integer, default 10): parts of a relative position
-- parameter special (boolean, default true): count special tokens such as the end
-- parameter source_tokens (integer, default none): only sentences with so many source tokens that are counted
-- parameter steps (integer, default none): only translations of so many tokens, the end included
-- parameter minimum_sentences (integer, default 2): only positions that so many sentences have
-- parameter role (text, default hypothesis): whose text: "hypothesis" (a system's own translations), "reference", another role, or "all"
-- parameter model (text, default none): only this system; several systems stand apart
-- parameter composite (text, default none): only this method; several methods stand apart
-- parameter target (text, default none): only this kind of scalar explained
-- parameter corpus (text, default none): only sentences of this corpus
-- parameter split (text, default none): only sentences of this split
-- parameter languages (text, default none): only this direction: "fr-en"
-- parameter resamples (integer, default 1000): bootstrap resamples of the sentences
-- parameter seed (integer, default 0): seed of the bootstrap
-- column role: "hypothesis" is a system's own translation
-- column position: middle of the part, 0 to 1, or number of the token
-- column mean, low, high: contributions as shares of the source at each step, summed over the steps, over what the average token has; 95 % bootstrap interval over sentences
-- column sentences, tokens: sentences that have a token there, and tokens
-- rows placed of value: position = {position} AND languages IS NOT DISTINCT FROM {languages} AND role = {role} AND model = {model} AND composite = {composite} AND target = {target} AND corpus = {corpus}
WITH named AS (
    SELECT *, source_language || '-' || target_language AS languages, CASE role WHEN 'hypothesis:' || model THEN 'hypothesis' ELSE role END AS whose
    FROM translations
), chosen AS MATERIALIZED (
    SELECT explanation, document, identifier, corpus, languages, model, whose AS role, composite, target, role AS segment, steps FROM named
    WHERE ($role::VARCHAR = 'all' OR whose = $role) AND ($model::VARCHAR IS NULL OR model = $model)
      AND ($composite::VARCHAR IS NULL OR composite = $composite) AND ($target::VARCHAR IS NULL OR target = $target)
      AND ($corpus::VARCHAR IS NULL OR corpus = $corpus) AND ($split::VARCHAR IS NULL OR split = $split)
      AND ($languages::VARCHAR IS NULL OR languages = $languages)
), cell AS (
    SELECT c.explanation, c.step, c.token, abs(c.relevance::DOUBLE) AS size
    FROM kept.contribution c JOIN chosen e ON e.explanation = c.explanation
    JOIN kept.explanation k ON k.explanation = c.explanation
    JOIN kept.token t ON t.document = k.document AND t.role = 'source' AND t.tokenizer = k.tokenizer AND t.token = c.token
    WHERE c.side = 'source' AND ($special::BOOLEAN OR NOT t.special)
), shared AS (
    SELECT explanation, token, sum(share) AS total, sum(sum(share)) OVER (PARTITION BY explanation) AS steps,
           count(*) OVER (PARTITION BY explanation) AS tokens, row_number() OVER (PARTITION BY explanation ORDER BY token) AS place
    FROM (SELECT *, size / nullif(sum(size) OVER (PARTITION BY explanation, step), 0) AS share FROM cell)
    GROUP BY explanation, token
), placed AS (
    SELECT c.corpus, c.languages, c.model, c.role, c.composite, c.target, c.document, s.total * s.tokens / s.steps AS value,
           CASE $position::VARCHAR WHEN 'absolute' THEN s.place
                ELSE (floor((s.place - 0.5) / s.tokens * $bins::INTEGER) + 0.5) / $bins::INTEGER END::DOUBLE AS position
    FROM shared s JOIN chosen c ON c.explanation = s.explanation
    WHERE s.steps > 0 AND ($source_tokens::INTEGER IS NULL OR s.tokens = $source_tokens) AND ($steps::INTEGER IS NULL OR c.steps = $steps)
)
SELECT corpus, languages, model, role, composite, target, 'total_contribution' AS measure, position, document AS sentence, sum(value) AS part, count(*) AS number
FROM placed GROUP BY ALL ORDER BY ALL
