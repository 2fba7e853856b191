-- Which source word each generated word took most from; not what people would align
-- parameter identifier (text, default none): only this sentence
-- parameter convention (text of predicted|input, default predicted): rows that align a generated word: "predicted" or "input"
-- parameter corrected (boolean, default true): take each source token's mean over the steps off first
-- parameter term (text, default none): only generated words of this lemma (the form where there is none)
-- parameter limit (integer, default 1000): rows at most
-- parameter role (text, default hypothesis): whose text: "hypothesis" (a system's own translations), "reference", another role, or "all"
-- parameter model (text, default none): only this system; several systems stand apart
-- parameter composite (text, default none): only this method; several methods stand apart
-- parameter target (text, default none): only this kind of scalar explained
-- parameter corpus (text, default none): only sentences of this corpus
-- parameter split (text, default none): only sentences of this split
-- parameter languages (text, default none): only this direction: "fr-en"
-- column role: "hypothesis" is a system's own translation
-- column score: share of the source's contributions to the word; corrected: above its mean share
-- rows documents: corpus = {corpus} AND identifier = {identifier}
WITH named AS (
    SELECT *, source_language || '-' || target_language AS languages, CASE role WHEN 'hypothesis:' || model THEN 'hypothesis' ELSE role END AS whose
    FROM translations
), chosen AS MATERIALIZED (
    SELECT explanation, document, identifier, corpus, languages, model, whose AS role, composite, target, role AS segment FROM named
    WHERE ($role::VARCHAR = 'all' OR whose = $role) AND ($model::VARCHAR IS NULL OR model = $model)
      AND ($composite::VARCHAR IS NULL OR composite = $composite) AND ($target::VARCHAR IS NULL OR target = $target)
      AND ($corpus::VARCHAR IS NULL OR corpus = $corpus) AND ($split::VARCHAR IS NULL OR split = $split)
      AND ($languages::VARCHAR IS NULL OR languages = $languages)
    AND ($identifier::VARCHAR IS NULL OR identifier = $identifier)
)
SELECT c.corpus, c.languages, c.model, c.role, c.composite, c.target, c.identifier, a.word, a.upos, a.source_word, a.source_upos, a.score, a.source_form, a.form
FROM alignments a JOIN chosen c ON c.explanation = a.explanation
WHERE a.convention = $convention::VARCHAR AND a.corrected = $corrected::BOOLEAN AND ($term::VARCHAR IS NULL OR coalesce(a.lemma, a.form) = $term)
ORDER BY ALL LIMIT $limit::INTEGER
