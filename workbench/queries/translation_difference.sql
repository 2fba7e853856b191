-- Two systems on the same sentences: differences of contributions and quality
-- parameter model (text): one system
-- parameter other (text): another system, translating the same sentences
-- parameter role (text, default hypothesis): whose text: "hypothesis" (each system's own translations) or "reference"
-- parameter composite (text, default none): only this method; several methods stand apart
-- parameter target (text, default none): only this kind of scalar explained
-- parameter corpus (text, default none): only sentences of this corpus
-- parameter split (text, default none): only sentences of this split
-- parameter languages (text, default none): only this direction: "fr-en"
-- parameter resamples (integer, default 1000): bootstrap resamples of the sentences
-- parameter seed (integer, default 0): seed of the bootstrap
-- column measure: as in contributions_by_group, and as in translation_quality but for corpus_bleu
-- column first, second: mean of one step (of contributions) or of one sentence (of quality) of each system, over sentences that both translate
-- column difference, low, high: first minus second, 95 % bootstrap interval over sentences, drawn for both at once
-- rows chosen: corpus = {corpus} AND languages IS NOT DISTINCT FROM {languages} AND role = {role} AND composite = {composite} AND target = {target}
WITH named AS (
    SELECT *, source_language || '-' || target_language AS languages, CASE role WHEN 'hypothesis:' || model THEN 'hypothesis' ELSE role END AS whose
    FROM translations
), chosen AS MATERIALIZED (
    SELECT explanation, document, corpus, languages, model, whose AS role, composite, target, role AS segment FROM named
    WHERE whose = $role::VARCHAR AND model IN ($model::VARCHAR, $other::VARCHAR)
      AND ($composite::VARCHAR IS NULL OR composite = $composite) AND ($target::VARCHAR IS NULL OR target = $target)
      AND ($corpus::VARCHAR IS NULL OR corpus = $corpus) AND ($split::VARCHAR IS NULL OR split = $split)
      AND ($languages::VARCHAR IS NULL OR languages = $languages)
    QUALIFY count(DISTINCT model) OVER (PARTITION BY document, whose, composite, target) = 2
), step AS (
    UNPIVOT (SELECT * EXCLUDE (step, steps, source_tokens) FROM step_measures SEMI JOIN chosen USING (explanation))
    ON source_share, source_entropy, prefix_entropy, normalized_source_entropy, normalized_prefix_entropy, beginning_share, log_probability INTO NAME measure VALUE value
), measured AS (
    SELECT explanation, measure, sum(value) AS part, count(*) AS number FROM step GROUP BY ALL
    UNION ALL
    SELECT c.explanation, q.metric, q.value, 1
    FROM chosen c JOIN qualities q ON q.document = c.document AND q.role = c.segment AND q.model = c.model
    WHERE q.metric NOT IN ('log_probability', 'logit_difference', 'retokenised')
)
SELECT corpus, languages, role, composite, target, measure, model, document AS sentence, part, number
FROM measured m JOIN chosen c ON c.explanation = m.explanation ORDER BY ALL
