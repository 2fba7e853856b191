-- Frequent terms that matter least for each class: mean relevance nearest to zero
-- parameter form (text, default lemma): "lemma" (the form where there is none) or "form"; encodings of one letter are one (NFC)
-- parameter limit (integer, default 20): terms for each class
-- parameter minimum_documents (integer, default 10): only terms that occur in at least so many documents
-- parameter label (text, default none): only this class explained
-- parameter model (text, default none): only this model; none: every model that is not a mere member of an ensemble
-- parameter composite (text, default none): only this composite
-- parameter corpus (text, default none): only documents of this corpus
-- parameter resamples (integer, default 1000): bootstrap resamples of the documents in which a term occurs
-- parameter seed (integer, default 0): seed of the bootstrap
-- column mean_size: mean of |relevance| of one occurrence
-- column mean, low, high: mean relevance of one occurrence and its 95 % bootstrap interval over documents
-- rows word_relevance: kind = 'word' AND upos IS DISTINCT FROM 'PUNCT' AND upos IS DISTINCT FROM 'SPACE' AND nfc_normalize(CASE WHEN $form = 'form' THEN form ELSE coalesce(lemma, form) END) = {term} AND model = {model} AND composite = {composite} AND label IS NOT DISTINCT FROM {label}
-- pattern [(lemma={term} | !lemma & form={term}) & !(upos="PUNCT|SPACE") & explained={label}$also]
-- pattern (form=form) [form={term} & !(upos="PUNCT|SPACE") & explained={label}$also]
WITH chosen AS (
    SELECT e.explanation FROM explanations e JOIN documents d ON d.document = e.document
    WHERE CASE WHEN $model::VARCHAR IS NULL THEN e.member_of IS NULL ELSE e.model = $model END
      AND ($composite::VARCHAR IS NULL OR e.composite = $composite) AND ($label::VARCHAR IS NULL OR e.label = $label)
      AND ($corpus::VARCHAR IS NULL OR d.corpus = $corpus)
), occurrence AS MATERIALIZED (
    SELECT w.model, w.composite, w.label, nfc_normalize(CASE WHEN $form::VARCHAR = 'form' THEN w.form ELSE coalesce(w.lemma, w.form) END) AS term, w.document,
           sum(w.relevance::DOUBLE) AS relevance, sum(abs(w.relevance::DOUBLE)) AS size, count(*) AS occurrences
    FROM word_relevance w SEMI JOIN chosen c ON c.explanation = w.explanation
    WHERE w.kind = 'word' AND w.upos IS DISTINCT FROM 'PUNCT' AND w.upos IS DISTINCT FROM 'SPACE'
    GROUP BY ALL
), term AS (
    SELECT model, composite, label, term, sum(relevance) / sum(occurrences) AS mean, sum(size) / sum(occurrences) AS mean_size,
           count(DISTINCT document) AS documents, sum(occurrences)::BIGINT AS occurrences
    FROM occurrence GROUP BY ALL HAVING count(DISTINCT document) >= $minimum_documents::INTEGER
), shown AS (
    SELECT *, row_number() OVER (PARTITION BY model, composite, label ORDER BY mean_size, term)::INTEGER AS rank
    FROM term QUALIFY rank <= $limit::INTEGER
)
SELECT s.model, s.composite, s.label, s.rank, s.term, s.mean_size, s.mean, s.documents, s.occurrences,
       list(o.relevance ORDER BY o.document) AS relevance_by_document, list(o.occurrences ORDER BY o.document) AS occurrences_by_document
FROM shown s JOIN occurrence o
  ON o.model = s.model AND o.composite = s.composite AND o.label IS NOT DISTINCT FROM s.label AND o.term = s.term
GROUP BY ALL ORDER BY s.model, s.composite, s.label, s.rank
