-- Contributions along the translation: source share, entropies
-- parameter measures (texts of source_share|source_entropy|prefix_entropy|normalized_source_entropy|normalized_prefix_entropy|beginning_share|log_probability, default source_share): what to follow: entropies in nats, normalized over ln length
-- parameter position (text of relative|absolute, default relative): "relative" (each translation in `bins` equal parts) or "absolute" (1 is the first token)
-- parameter bins (integer, default 10): parts of a relative position
-- parameter source_tokens (integer, default none): only sentences with so many source tokens, special ones included
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
-- column mean, low, high: mean of one step there, 95 % bootstrap interval over sentences; the first token has no prefix and no source share
-- column sentences, steps: sentences that have a step there, and steps
-- rows long of value: measure = {measure} AND position = {position} AND languages IS NOT DISTINCT FROM {languages} AND role = {role} AND model = {model} AND composite = {composite} AND target = {target} AND corpus = {corpus}
WITH named AS (
    SELECT *, source_language || '-' || target_language AS languages, CASE role WHEN 'hypothesis:' || model THEN 'hypothesis' ELSE role END AS whose
    FROM translations
), chosen AS MATERIALIZED (
    SELECT explanation, document, identifier, corpus, languages, model, whose AS role, composite, target, role AS segment FROM named
    WHERE ($role::VARCHAR = 'all' OR whose = $role) AND ($model::VARCHAR IS NULL OR model = $model)
      AND ($composite::VARCHAR IS NULL OR composite = $composite) AND ($target::VARCHAR IS NULL OR target = $target)
      AND ($corpus::VARCHAR IS NULL OR corpus = $corpus) AND ($split::VARCHAR IS NULL OR split = $split)
      AND ($languages::VARCHAR IS NULL OR languages = $languages)
), placed AS (
    SELECT c.corpus, c.languages, c.model, c.role, c.composite, c.target, c.document, m.* EXCLUDE (explanation, step, steps, source_tokens),
           CASE $position::VARCHAR WHEN 'absolute' THEN m.step + 1
                ELSE (floor((m.step + 0.5) / m.steps * $bins::INTEGER) + 0.5) / $bins::INTEGER END::DOUBLE AS position
    FROM step_measures m JOIN chosen c ON c.explanation = m.explanation
    WHERE ($source_tokens::INTEGER IS NULL OR m.source_tokens = $source_tokens) AND ($steps::INTEGER IS NULL OR m.steps = $steps)
), long AS (
    UNPIVOT placed ON source_share, source_entropy, prefix_entropy, normalized_source_entropy, normalized_prefix_entropy, beginning_share, log_probability INTO NAME measure VALUE value
)
SELECT corpus, languages, model, role, composite, target, measure, position, document AS sentence, sum(value) AS part, count(*) AS number
FROM long WHERE list_contains($measures::VARCHAR[], measure) GROUP BY ALL ORDER BY ALL
