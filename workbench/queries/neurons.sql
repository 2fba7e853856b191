-- What drives one neuron, hidden feature or head: the documents and words whose relevance runs through it
-- parameter layer (integer): its layer
-- parameter unit (integer): its number in the layer, from 0
-- parameter kind (text, default neurons): "neurons", "features" (dimensions of the residual stream) or "heads"
-- parameter label (text, default none): only this class explained
-- parameter model (text, default none): only this model; an ensemble has no components, its members have
-- parameter composite (text, default none): only this composite
-- parameter corpus (text, default none): only documents of this corpus
-- parameter limit (integer, default 20): documents, words and tokens for each class
-- column what: "document", "word" (its lemma, or its form where there is none) or "token" (special ones and those that touch no word)
-- column rank: 1 has the largest |relevance| of its class
-- column relevance: sum of the relevance that runs through the unit, where it was among the strongest that were kept of its layer
-- column mean: relevance of one occurrence
-- column occurrences: tokens of a document that drive the unit; occurrences of a word that do
-- column name: identifier of the document, word, or token as the tokenizer writes it
-- rows occurrence of relevance: model = {model} AND composite = {composite} AND label IS NOT DISTINCT FROM {label} AND what = {what} AND name = {name}
WITH driven AS MATERIALIZED (
    SELECT e.model, e.composite, e.label, e.tokenizer, e.role, r.explanation, r.document, r.token, d.identifier, r.relevance::DOUBLE AS relevance
    FROM component_relevance r
    JOIN explanations e ON e.explanation = r.explanation
    JOIN documents d ON d.document = r.document
    WHERE r.kind = $kind::VARCHAR AND r.layer = $layer::INTEGER AND r.unit = $unit::INTEGER AND r.token >= 0
      AND ($model::VARCHAR IS NULL OR e.model = $model) AND ($composite::VARCHAR IS NULL OR e.composite = $composite)
      AND ($label::VARCHAR IS NULL OR e.label = $label) AND ($corpus::VARCHAR IS NULL OR d.corpus = $corpus)
), placed AS (
    SELECT v.*, coalesce(t.piece, 'token ' || v.token) AS piece, w.word, nfc_normalize(coalesce(w.lemma, w.form)) AS form,
           least(t.char_end, w.char_end) - greatest(t.char_start, w.char_start) AS characters
    FROM driven v
    LEFT JOIN tokens t ON t.document = v.document AND t.role = v.role AND t.tokenizer = v.tokenizer AND t.token = v.token
    LEFT JOIN words w
      ON w.document = v.document AND w.role = v.role AND NOT t.special AND w.char_start < t.char_end AND t.char_start < w.char_end
), shared AS (
    SELECT *, CASE WHEN word IS NULL THEN relevance ELSE relevance * characters / sum(characters) OVER (PARTITION BY explanation, token) END AS share
    FROM placed
), occurrence AS (
    SELECT model, composite, label, 'document' AS what, identifier AS name, document, document AS part, relevance FROM driven
    UNION ALL
    SELECT model, composite, label, 'word', form, document, 0, sum(share) FROM shared WHERE word IS NOT NULL
    GROUP BY model, composite, label, explanation, document, form, word
    UNION ALL
    SELECT model, composite, label, 'token', piece, document, 0, share FROM shared WHERE word IS NULL
), summed AS (
    SELECT model, composite, label, what, name, sum(relevance) AS relevance, avg(relevance) AS mean, count(DISTINCT document) AS documents,
           count(*) AS occurrences
    FROM occurrence GROUP BY model, composite, label, what, name, part
)
SELECT model, composite, label, what,
       row_number() OVER (PARTITION BY model, composite, label, what ORDER BY abs(relevance) DESC, name)::INTEGER AS rank,
       relevance, mean, documents, occurrences, name
FROM summed QUALIFY rank <= $limit::INTEGER ORDER BY model, composite, label, what, rank
