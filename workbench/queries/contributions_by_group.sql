-- Contributions by part of speech of the generated word, language, system or level of supervision
-- parameter by (text of upos|relation|languages|system|supervision|corpus, default upos): upos or relation of the generated word; supervision of the registered model
-- parameter measures (texts of source_share|source_entropy|prefix_entropy|normalized_source_entropy|normalized_prefix_entropy|beginning_share|log_probability, default source_share): what to follow: entropies in nats, normalized over ln length
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
-- column group: what `by` asks for; "special" and "uncovered" for tokens that are no word, "none" where the annotator gives none
-- column mean, low, high: mean of one step, 95 % bootstrap interval over sentences; the first token has no prefix and no source share
-- column sentences, steps: sentences that have such a step, and steps
-- rows long of value: measure = {measure} AND "group" = {group} AND languages IS NOT DISTINCT FROM {languages} AND role = {role} AND model = {model} AND composite = {composite} AND target = {target} AND corpus = {corpus}
WITH named AS (
    SELECT *, source_language || '-' || target_language AS languages, CASE role WHEN 'hypothesis:' || model THEN 'hypothesis' ELSE role END AS whose
    FROM translations
), chosen AS MATERIALIZED (
    SELECT explanation, document, identifier, corpus, languages, model, whose AS role, composite, target, role AS segment FROM named
    WHERE ($role::VARCHAR = 'all' OR whose = $role) AND ($model::VARCHAR IS NULL OR model = $model)
      AND ($composite::VARCHAR IS NULL OR composite = $composite) AND ($target::VARCHAR IS NULL OR target = $target)
      AND ($corpus::VARCHAR IS NULL OR corpus = $corpus) AND ($split::VARCHAR IS NULL OR split = $split)
      AND ($languages::VARCHAR IS NULL OR languages = $languages)
), worded AS (
    SELECT explanation, step, CASE WHEN special THEN 'special' WHEN word IS NULL THEN 'uncovered'
                                   ELSE coalesce(CASE $by::VARCHAR WHEN 'relation' THEN relation ELSE upos END, 'none') END AS kind
    FROM steps WHERE $by::VARCHAR IN ('upos', 'relation')
), grouped AS (
    SELECT c.corpus, c.languages, c.model, c.role, c.composite, c.target, c.document, m.* EXCLUDE (explanation, step, steps, source_tokens),
           CASE $by::VARCHAR WHEN 'languages' THEN c.languages WHEN 'system' THEN c.model WHEN 'corpus' THEN c.corpus
                WHEN 'supervision' THEN coalesce(k.parameters ->> 'supervision', c.model) ELSE w.kind END AS "group"
    FROM step_measures m JOIN chosen c ON c.explanation = m.explanation
    LEFT JOIN worded w ON w.explanation = m.explanation AND w.step = m.step
    LEFT JOIN models k ON k.name = c.model
), long AS (
    UNPIVOT grouped ON source_share, source_entropy, prefix_entropy, normalized_source_entropy, normalized_prefix_entropy, beginning_share, log_probability INTO NAME measure VALUE value
)
SELECT corpus, languages, model, role, composite, target, measure, "group", document AS sentence, sum(value) AS part, count(*) AS number
FROM long WHERE list_contains($measures::VARCHAR[], measure) GROUP BY ALL ORDER BY ALL
