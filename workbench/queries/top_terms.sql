-- Terms that speak most for and most against each class
-- parameter form (text, default lemma): "lemma" (the form where there is none) or "form"; encodings of one letter are one (NFC)
-- parameter limit (integer, default 20): terms for each class and side
-- parameter minimum_documents (integer, default 3): only terms that occur in at least so many documents
-- parameter label (text, default none): only this class explained
-- parameter model (text, default none): only this model; none: every model that is not a mere member of an ensemble
-- parameter composite (text, default none): only this composite
-- parameter corpus (text, default none): only documents of this corpus
-- parameter split (text, default none): only documents of this split, or of its clean part ("test:clean": no text of an earlier split)
-- parameter predicted (boolean, default false): only explanations of the class that the model predicts
-- parameter resamples (integer, default 1000): bootstrap resamples of the documents in which a term occurs
-- parameter seed (integer, default 0): seed of the bootstrap
-- column side: "for" (highest mean relevance) or "against" (lowest)
-- column rank: 1 is the strongest of its side
-- column mean: mean relevance of one occurrence, in units of the target (logit)
-- column low, high: 95 % bootstrap interval of the mean over documents (percentile)
-- column total, documents, occurrences: sum of relevance, documents and occurrences of the term
-- rows word_relevance: kind = 'word' AND upos IS DISTINCT FROM 'PUNCT' AND upos IS DISTINCT FROM 'SPACE' AND nfc_normalize(CASE WHEN $form = 'form' THEN form ELSE coalesce(lemma, form) END) = {term} AND model = {model} AND composite = {composite} AND label IS NOT DISTINCT FROM {label}
-- pattern [(lemma={term} | !lemma & form={term}) & !(upos="PUNCT|SPACE") & explained={label}$also]
-- pattern (form=form) [form={term} & !(upos="PUNCT|SPACE") & explained={label}$also]
WITH class AS (  -- whose relevance, as one number
    SELECT row_number() OVER (ORDER BY model, composite, label) AS class, * FROM (SELECT DISTINCT model, composite, label FROM explanations)
), best AS (
    SELECT document, role, model, arg_max(label, probability) AS label FROM predictions GROUP BY ALL
), chosen AS MATERIALIZED (
    SELECT e.explanation, k.class
    FROM explanations e JOIN documents d ON d.document = e.document
    JOIN class k ON k.model = e.model AND k.composite = e.composite AND k.label IS NOT DISTINCT FROM e.label
    LEFT JOIN best b ON b.document = e.document AND b.role = e.role AND b.model = e.model
    WHERE CASE WHEN $model::VARCHAR IS NULL THEN e.member_of IS NULL ELSE e.model = $model END
      AND ($composite::VARCHAR IS NULL OR e.composite = $composite) AND ($label::VARCHAR IS NULL OR e.label = $label)
      AND ($corpus::VARCHAR IS NULL OR d.corpus = $corpus) AND ($split::VARCHAR IS NULL OR (d.split = split_part($split, ':', 1) AND (NOT ends_with($split, ':clean') OR d.metadata->>'clean' = 'true')))
      AND (NOT $predicted::BOOLEAN OR e.label = b.label)
), counted AS MATERIALIZED (
    SELECT c.class, CASE WHEN $form::VARCHAR = 'form' THEN w.form ELSE coalesce(w.lemma, w.form) END AS written,
           sum(w.relevance::DOUBLE) AS relevance, count(*) AS occurrences,
           bit_or(1::UBIGINT << (w.document % 64)::UBIGINT) AS marks  -- one of 64 for each document
    FROM word_relevance w JOIN chosen c ON c.explanation = w.explanation
    WHERE w.kind = 'word' AND w.upos IS DISTINCT FROM 'PUNCT' AND w.upos IS DISTINCT FROM 'SPACE'
    GROUP BY ALL
), spelling AS MATERIALIZED (
    SELECT *, nfc_normalize(written) AS term FROM counted
), summed AS MATERIALIZED (
    SELECT class, term, sum(relevance) AS total, sum(occurrences)::BIGINT AS occurrences,
           bit_count(bit_or(marks)) AS at_least
    FROM spelling GROUP BY ALL HAVING sum(occurrences) >= $minimum_documents::INTEGER
), doubtful AS (  -- what the marks do not decide is counted document by document
    SELECT c.class, s.term
    FROM word_relevance w JOIN chosen c ON c.explanation = w.explanation
    JOIN (SELECT DISTINCT written, term FROM spelling SEMI JOIN (FROM summed WHERE at_least < $minimum_documents::INTEGER) USING (term)) s
      ON s.written = CASE WHEN $form::VARCHAR = 'form' THEN w.form ELSE coalesce(w.lemma, w.form) END
    WHERE w.kind = 'word' AND w.upos IS DISTINCT FROM 'PUNCT' AND w.upos IS DISTINCT FROM 'SPACE'
    GROUP BY ALL HAVING count(DISTINCT w.document) >= $minimum_documents::INTEGER
), term AS (
    SELECT class, term, total, occurrences, total / occurrences AS mean
    FROM summed s
    WHERE at_least >= $minimum_documents::INTEGER OR EXISTS (FROM doubtful d WHERE d.class = s.class AND d.term = s.term)
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY class ORDER BY mean DESC, term) AS down,
           row_number() OVER (PARTITION BY class ORDER BY mean, term) AS up
    FROM term
), shown AS (
    SELECT * EXCLUDE (up, down), 'for' AS side, down::INTEGER AS rank FROM ranked WHERE down <= $limit::INTEGER AND mean > 0
    UNION ALL
    SELECT * EXCLUDE (up, down), 'against', up::INTEGER FROM ranked WHERE up <= $limit::INTEGER AND mean < 0
), occurrence AS (
    SELECT c.class, s.term, w.document, sum(w.relevance::DOUBLE) AS relevance, count(*) AS occurrences
    FROM word_relevance w JOIN chosen c ON c.explanation = w.explanation
    JOIN (SELECT DISTINCT written, term FROM spelling SEMI JOIN shown USING (term)) s
      ON s.written = CASE WHEN $form::VARCHAR = 'form' THEN w.form ELSE coalesce(w.lemma, w.form) END
    WHERE w.kind = 'word' AND w.upos IS DISTINCT FROM 'PUNCT' AND w.upos IS DISTINCT FROM 'SPACE'
    GROUP BY ALL
)
SELECT n.model, n.composite, n.label, s.side, s.rank, s.term, s.mean, s.total, count(*) AS documents, s.occurrences,
       list(o.relevance ORDER BY o.document) AS relevance_by_document, list(o.occurrences ORDER BY o.document) AS occurrences_by_document
FROM shown s JOIN occurrence o ON o.class = s.class AND o.term = s.term
JOIN class n ON n.class = s.class
GROUP BY ALL ORDER BY n.model, n.composite, n.label, s.side DESC, s.rank
