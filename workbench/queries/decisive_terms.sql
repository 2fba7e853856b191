-- Bias note: terms that alone carry a class - relevant for it wherever they stand, and the model nearly always predicts it there
-- parameter form (text, default lemma): "lemma" (the form where there is none) or "form"; encodings of one letter are one (NFC)
-- parameter limit (integer, default 20): terms for each class
-- parameter minimum_documents (integer, default 5): only terms that occur in at least so many documents
-- parameter minimum_precision (number, default 0.8): only terms where at least this share of the documents is predicted as the class
-- parameter minimum_lift (number, default 1.5): … and at least so many times the class's share of all documents
-- parameter minimum_share (number, default 0.2): only terms that hold on average at least this share of the positive word relevance
-- parameter model (text, default none): only this model; none: every model that is not a mere member of an ensemble
-- parameter composite (text, default none): only this composite
-- parameter corpus (text, default none): only documents of this corpus
-- parameter terms (texts, default none): only these terms, for example a lexicon of identity words
-- column mean: mean relevance of one occurrence; column share: its mean share of the positive word relevance of the document
-- column precision, gold_precision: share of all documents with the term that are predicted, and labelled, as the class
-- column lift: precision divided by the share of all explained documents that are predicted as the class
-- column strongest: share of its documents in which no other word is more relevant for the class
-- rows word_relevance: kind = 'word' AND upos IS DISTINCT FROM 'PUNCT' AND upos IS DISTINCT FROM 'SPACE' AND nfc_normalize(CASE WHEN $form = 'form' THEN form ELSE coalesce(lemma, form) END) = {term} AND model = {model} AND composite = {composite} AND label IS NOT DISTINCT FROM {label}
-- pattern [(lemma={term} | !lemma & form={term}) & !(upos="PUNCT|SPACE") & explained={label}$also]
-- pattern (form=form) [form={term} & !(upos="PUNCT|SPACE") & explained={label}$also]
WITH best AS (
    SELECT document, role, model, arg_max(label, probability) AS label FROM predictions GROUP BY ALL
), chosen AS MATERIALIZED (
    SELECT e.explanation, e.model, e.composite, e.label, e.document, e.role
    FROM explanations e JOIN documents d ON d.document = e.document
    WHERE CASE WHEN $model::VARCHAR IS NULL THEN e.member_of IS NULL ELSE e.model = $model END
      AND ($composite::VARCHAR IS NULL OR e.composite = $composite) AND ($corpus::VARCHAR IS NULL OR d.corpus = $corpus)
), judged AS MATERIALIZED (
    SELECT DISTINCT b.model, b.document, b.role, b.label AS predicted, d.label AS gold
    FROM best b SEMI JOIN chosen c ON c.document = b.document AND c.role = b.role AND c.model = b.model
    JOIN documents d ON d.document = b.document
), prior AS (
    SELECT model, predicted AS label, count(*) / sum(count(*)) OVER (PARTITION BY model) AS share FROM judged GROUP BY model, predicted
), bearer AS MATERIALIZED (
    SELECT DISTINCT j.model, j.document, j.predicted, j.gold,
           nfc_normalize(CASE WHEN $form::VARCHAR = 'form' THEN w.form ELSE coalesce(w.lemma, w.form) END) AS term
    FROM judged j JOIN words w ON w.document = j.document AND w.role = j.role
    WHERE w.upos IS DISTINCT FROM 'PUNCT' AND w.upos IS DISTINCT FROM 'SPACE'
), occurrence AS (
    SELECT c.model, c.composite, c.label, c.document,
           nfc_normalize(CASE WHEN $form::VARCHAR = 'form' THEN w.form ELSE coalesce(w.lemma, w.form) END) AS term, w.relevance::DOUBLE AS relevance,
           greatest(w.relevance, 0) / nullif(sum(greatest(w.relevance::DOUBLE, 0)) OVER explained, 0) AS share,
           (w.relevance = max(w.relevance) OVER explained)::INTEGER AS strongest
    FROM word_relevance w JOIN chosen c ON c.explanation = w.explanation
    WHERE w.kind = 'word' AND w.upos IS DISTINCT FROM 'PUNCT' AND w.upos IS DISTINCT FROM 'SPACE'
    WINDOW explained AS (PARTITION BY w.explanation)
), within AS (
    SELECT model, composite, label, term, document, sum(relevance) AS relevance, sum(share) AS share, max(strongest) AS strongest,
           count(*) AS occurrences
    FROM occurrence GROUP BY ALL
), carried AS (
    SELECT model, composite, label, term, sum(relevance) / sum(occurrences) AS mean, coalesce(avg(share), 0) AS share,
           avg(strongest) AS strongest, sum(occurrences)::BIGINT AS occurrences
    FROM within WHERE $terms::VARCHAR[] IS NULL OR list_contains($terms::VARCHAR[], term) GROUP BY ALL
)
SELECT c.model, c.composite, c.label, c.term, c.mean, c.share, avg((b.predicted = c.label)::INTEGER) AS precision,
       avg((b.gold = c.label)::INTEGER) AS gold_precision, avg((b.predicted = c.label)::INTEGER) / any_value(p.share) AS lift, c.strongest,
       count(*) AS documents, c.occurrences
FROM carried c JOIN bearer b ON b.model = c.model AND b.term = c.term JOIN prior p ON p.model = c.model AND p.label = c.label
WHERE c.mean > 0 AND c.share >= $minimum_share::DOUBLE
GROUP BY c.model, c.composite, c.label, c.term, c.mean, c.share, c.strongest, c.occurrences
HAVING count(*) >= $minimum_documents::INTEGER AND precision >= $minimum_precision::DOUBLE AND lift >= $minimum_lift::DOUBLE
QUALIFY row_number() OVER (PARTITION BY c.model, c.composite, c.label ORDER BY c.share DESC, c.term) <= $limit::INTEGER
ORDER BY c.model, c.composite, c.label, share DESC, c.term
