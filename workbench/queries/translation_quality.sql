-- How good translations are, and how near to source and reference in meaning
-- parameter by (text of corpus|sentence, default corpus): a row for all sentences together, or for each
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
-- column metric: "corpus_bleu" (over all sentences, 0 to 100); of sentences: "chrf", "bleu" (0 to 100), "log_probability" (mean by token), "similarity_to_source", "similarity_to_reference" (cosine by a sentence encoder)
-- column mean, low, high: of one sentence, or of the corpus; 95 % bootstrap interval over sentences
-- rows chosen: ({identifier} = 'all' OR identifier = {identifier}) AND model = {model} AND corpus = {corpus} AND languages IS NOT DISTINCT FROM {languages} AND role = {role} AND composite = {composite} AND target = {target}
WITH named AS (
    SELECT *, source_language || '-' || target_language AS languages, CASE role WHEN 'hypothesis:' || model THEN 'hypothesis' ELSE role END AS whose
    FROM translations
), chosen AS MATERIALIZED (
    SELECT explanation, document, identifier, corpus, languages, model, whose AS role, composite, target, role AS segment, text, reference_text, log_probability AS probability FROM named
    WHERE ($role::VARCHAR = 'all' OR whose = $role) AND ($model::VARCHAR IS NULL OR model = $model)
      AND ($composite::VARCHAR IS NULL OR composite = $composite) AND ($target::VARCHAR IS NULL OR target = $target)
      AND ($corpus::VARCHAR IS NULL OR corpus = $corpus) AND ($split::VARCHAR IS NULL OR split = $split)
      AND ($languages::VARCHAR IS NULL OR languages = $languages)
), scored AS (
    SELECT c.explanation, q.metric, q.value FROM chosen c JOIN qualities q ON q.document = c.document AND q.role = c.segment AND q.model = c.model
    WHERE q.metric NOT IN ('log_probability', 'logit_difference', 'retokenised')
    UNION ALL SELECT explanation, 'log_probability', probability FROM chosen
    UNION ALL SELECT explanation, 'corpus_bleu', NULL FROM chosen WHERE segment <> 'reference' AND reference_text IS NOT NULL
)
SELECT c.corpus, c.languages, c.model, c.role, c.composite, c.target, CASE $by::VARCHAR WHEN 'sentence' THEN c.identifier ELSE 'all' END AS identifier,
       s.metric, c.document AS sentence, s.value AS part, 1 AS number,
       CASE s.metric WHEN 'corpus_bleu' THEN c.text END AS text, CASE s.metric WHEN 'corpus_bleu' THEN c.reference_text END AS reference_text
FROM scored s JOIN chosen c ON c.explanation = s.explanation ORDER BY ALL
