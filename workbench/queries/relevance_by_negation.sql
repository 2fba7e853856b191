-- Relevance of negations, of what they negate, and of the words near them, for each class
-- parameter words (texts, default none): lemmas that negate; none: a list for English, German, French, Spanish and Bengali
-- parameter window (integer, default 3): words on either side that count as near
-- parameter model (text, default none): only this model; none: every model that is not a mere member of an ensemble
-- parameter composite (text, default none): only this composite
-- parameter label (text, default none): only this class explained
-- parameter corpus (text, default none): only documents of this corpus
-- parameter resamples (integer, default 1000): bootstrap resamples of the documents; above 2,000 documents, of 1,000 random blocks of them
-- parameter seed (integer, default 0): seed of the bootstrap
-- column negation: "negation" (Polarity=Neg, the relation neg, or in the list), "negated" (its head), "near" (at most `window` words from one, in its sentence), "other"
-- column lift, lift_low, lift_high: share of the relevance (by size) over share of the words, with the 95 % bootstrap interval over documents
-- column share, share_low, share_high: share of the sum of |relevance| of all words, with its interval
-- column mean, low, high: mean relevance of one word, with its interval
-- column documents, occurrences: documents, and words, that have it
-- rows placed of relevance: item = {negation} AND model = {model} AND composite = {composite} AND label IS NOT DISTINCT FROM {label}
WITH chosen AS (
    SELECT e.explanation, e.document, e.role, coalesce(d.metadata -> 'languages' ->> e.role, d.language) AS language FROM explanations e JOIN documents d ON d.document = e.document
    WHERE CASE WHEN $model::VARCHAR IS NULL THEN e.member_of IS NULL ELSE e.model = $model END
      AND ($composite::VARCHAR IS NULL OR e.composite = $composite) AND ($label::VARCHAR IS NULL OR e.label = $label)
      AND ($corpus::VARCHAR IS NULL OR d.corpus = $corpus) AND NOT contains(e.role, '~')
), listed AS (
    SELECT NULL::VARCHAR AS language, nfc_normalize(lower(unnest($words::VARCHAR[]))) AS lemma WHERE $words::VARCHAR[] IS NOT NULL
    UNION ALL
    SELECT language, nfc_normalize(lemma) FROM (VALUES
        ('en', 'not'), ('en', 'n''t'), ('en', 'no'), ('en', 'never'), ('en', 'nor'), ('en', 'neither'), ('en', 'none'), ('en', 'nobody'),
        ('en', 'nothing'), ('en', 'nowhere'), ('en', 'without'), ('en', 'cannot'), ('de', 'nicht'), ('de', 'kein'), ('de', 'nie'), ('de', 'niemals'),
        ('de', 'niemand'), ('de', 'nichts'), ('de', 'nirgends'), ('de', 'weder'), ('de', 'ohne'), ('fr', 'ne'), ('fr', 'pas'), ('fr', 'jamais'),
        ('fr', 'rien'), ('fr', 'aucun'), ('fr', 'non'), ('fr', 'ni'), ('fr', 'sans'), ('es', 'no'), ('es', 'nunca'), ('es', 'jamás'), ('es', 'nada'),
        ('es', 'nadie'), ('es', 'ninguno'), ('es', 'tampoco'), ('es', 'ni'), ('es', 'sin'), ('bn', 'না'), ('bn', 'নাই'), ('bn', 'নেই'), ('bn', 'নয়'),
        ('bn', 'নি'), ('bn', 'নহে'), ('bn', 'নন')) t(language, lemma) WHERE $words::VARCHAR[] IS NULL
), mark AS MATERIALIZED (
    SELECT DISTINCT x.document, x.role, x.word, x.head, x.sentence, coalesce(x.relation, '') AS relation
    FROM words x JOIN (SELECT DISTINCT document, role, language FROM chosen) c ON c.document = x.document AND c.role = x.role
    WHERE list_contains(string_split(coalesce(x.features, ''), '|'), 'Polarity=Neg') OR x.relation = 'neg' OR ends_with(x.relation, ':neg')
       OR EXISTS (SELECT 1 FROM listed l WHERE l.lemma = nfc_normalize(lower(coalesce(x.lemma, x.form)))
                  AND (l.language IS NULL OR c.language IS NULL OR l.language = c.language))
), around AS (
    SELECT document, role, sentence, word, 'negation' AS item FROM mark
    UNION ALL SELECT document, role, sentence, head, 'negated' FROM mark WHERE head IS NOT NULL
    UNION ALL SELECT document, role, sentence, unnest(range(word - $window::INTEGER, word + $window::INTEGER + 1))::INTEGER, 'near' FROM mark
), nearest AS MATERIALIZED (
    SELECT document, role, sentence, word, CASE WHEN bool_or(item = 'negation') THEN 'negation' WHEN bool_or(item = 'negated') THEN 'negated'
                                                ELSE 'near' END AS item
    FROM around GROUP BY document, role, sentence, word
), placed AS (
    SELECT w.explanation, w.document, w.role, w.model, w.composite, w.label, w.word, w.form, w.lemma, w.upos, w.relation, w.sentence,
           w.relevance::DOUBLE AS relevance,
           coalesce(x.item, 'other') AS item
    FROM word_relevance w SEMI JOIN chosen c ON c.explanation = w.explanation
    LEFT JOIN nearest x ON x.document = w.document AND x.role = w.role AND x.word = w.word AND x.sentence IS NOT DISTINCT FROM w.sentence
    WHERE w.kind = 'word' AND w.upos IS DISTINCT FROM 'SPACE'
), word AS MATERIALIZED (
    SELECT explanation, item, sum(abs(relevance)) AS size, sum(relevance) AS relevance, count(*) AS occurrences
    FROM placed GROUP BY explanation, item
), unit AS (
    SELECT explanation, document, model, composite, label,
           CASE WHEN (SELECT count(DISTINCT document) FROM chosen) > 2000 THEN (hash(document) % 1000)::INTEGER ELSE document END AS unit
    FROM explanations SEMI JOIN chosen USING (explanation)
)
SELECT u.model, u.composite, u.label, u.unit AS document, w.item, sum(w.size) AS size, sum(w.relevance) AS relevance,
       sum(w.occurrences)::BIGINT AS occurrences, count(DISTINCT u.document) AS documents
FROM word w JOIN unit u ON u.explanation = w.explanation GROUP BY u.model, u.composite, u.label, u.unit, w.item
UNION ALL
SELECT u.model, u.composite, u.label, u.unit, NULL, sum(w.size), sum(w.relevance), sum(w.occurrences)::BIGINT, count(DISTINCT u.document)
FROM word w JOIN unit u ON u.explanation = w.explanation GROUP BY u.model, u.composite, u.label, u.unit
ORDER BY ALL
