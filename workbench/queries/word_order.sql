-- Word order of translations against source and reference, from alignments by relevance
-- parameter convention (text of predicted|input, default predicted): rows that align a generated word: "predicted" or "input"
-- parameter corrected (boolean, default true): take each source token's mean over the steps off first
-- parameter punctuation (boolean, default false): count punctuation as words
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
-- column against: "source"; "reference" (both aligned to the source, where references are explained); "same words" (those that stand once in translation and reference)
-- column measure: "kendall_tau" (1: same order, -1: reversed), "fuzzy_reordering" (1: one piece), "aligned" (share of the translation's words that count)
-- column mean, low, high: of one sentence, 95 % bootstrap interval over sentences
-- rows chosen: ({identifier} = 'all' OR identifier = {identifier}) AND model = {model} AND corpus = {corpus} AND languages IS NOT DISTINCT FROM {languages} AND role = {role} AND composite = {composite} AND target = {target}
WITH named AS (
    SELECT *, source_language || '-' || target_language AS languages, CASE role WHEN 'hypothesis:' || model THEN 'hypothesis' ELSE role END AS whose
    FROM translations
), chosen AS MATERIALIZED (
    SELECT explanation, document, identifier, corpus, languages, model, whose AS role, composite, target, role AS segment FROM named
    WHERE ($role::VARCHAR = 'all' OR whose = $role) AND ($model::VARCHAR IS NULL OR model = $model)
      AND ($composite::VARCHAR IS NULL OR composite = $composite) AND ($target::VARCHAR IS NULL OR target = $target)
      AND ($corpus::VARCHAR IS NULL OR corpus = $corpus) AND ($split::VARCHAR IS NULL OR split = $split)
      AND ($languages::VARCHAR IS NULL OR languages = $languages)
), counted AS (
    SELECT document, role, word, lower(nfc_normalize(form)) AS form, row_number() OVER (PARTITION BY document, role ORDER BY word) AS place
    FROM kept.word w
    WHERE ($punctuation::BOOLEAN OR upos IS DISTINCT FROM 'PUNCT') AND upos IS DISTINCT FROM 'SPACE'
      AND EXISTS (FROM chosen c WHERE c.document = w.document)
), linked AS (
    SELECT a.explanation, a.document, a.role, a.model, a.composite, a.target, w.place, o.place AS source
    FROM alignments a
    JOIN counted w ON w.document = a.document AND w.role = a.role AND w.word = a.word
    JOIN counted o ON o.document = a.document AND o.role = 'source' AND o.word = a.source_word
    WHERE a.convention = $convention::VARCHAR AND a.corrected = $corrected::BOOLEAN
), once AS (
    SELECT document, role, form, any_value(place) AS place FROM counted GROUP BY ALL HAVING count(*) = 1
), met AS (
    SELECT explanation, 'source' AS against, place, source AS other FROM linked
    UNION ALL
    SELECT h.explanation, 'reference', h.place, min(r.place)
    FROM linked h JOIN linked r ON r.document = h.document AND r.role = 'reference' AND r.model = h.model AND r.composite = h.composite
         AND r.target = h.target AND r.source = h.source
    WHERE h.role <> 'reference' GROUP BY ALL
    UNION ALL
    SELECT c.explanation, 'same words', h.place, r.place
    FROM chosen c JOIN once h ON h.document = c.document AND h.role = c.segment
    JOIN once r ON r.document = c.document AND r.role = 'reference' AND r.form = h.form
    WHERE c.segment <> 'reference'
), ordered AS (
    SELECT m.explanation, m.against, m.place, dense_rank() OVER (PARTITION BY m.explanation, m.against ORDER BY m.other) AS other,
           row_number() OVER (PARTITION BY m.explanation, m.against ORDER BY m.place) AS number
    FROM met m SEMI JOIN chosen c ON c.explanation = m.explanation
), crossing AS (
    SELECT l.explanation, l.against, sum(sign(r.other - l.other)) / nullif(count(*) FILTER (r.other <> l.other), 0) AS kendall_tau
    FROM ordered l JOIN ordered r ON r.explanation = l.explanation AND r.against = l.against AND r.number > l.number GROUP BY ALL
), broken AS (
    SELECT l.explanation, l.against, 1 - count(*) FILTER (r.other - l.other NOT IN (0, 1)) / count(*) AS fuzzy_reordering
    FROM ordered l JOIN ordered r ON r.explanation = l.explanation AND r.against = l.against AND r.number = l.number + 1 GROUP BY ALL
), whole AS (
    SELECT o.explanation, o.against, count(*) / any_value(n.words) AS aligned
    FROM ordered o JOIN chosen c ON c.explanation = o.explanation
    JOIN (SELECT document, role, count(*) AS words FROM counted GROUP BY ALL) n ON n.document = c.document AND n.role = c.segment
    GROUP BY ALL
), long AS (
    UNPIVOT (FROM whole LEFT JOIN crossing USING (explanation, against) LEFT JOIN broken USING (explanation, against))
    ON kendall_tau, fuzzy_reordering, aligned INTO NAME measure VALUE value
)
SELECT c.corpus, c.languages, c.model, c.role, c.composite, c.target, CASE $by::VARCHAR WHEN 'sentence' THEN c.identifier ELSE 'all' END AS identifier,
       l.against, l.measure, c.document AS sentence, l.value AS part, 1 AS number
FROM long l JOIN chosen c ON c.explanation = l.explanation ORDER BY ALL
