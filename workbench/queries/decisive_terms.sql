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
-- column precision, gold_precision: share of the term's documents that are predicted, and labelled, as the class
-- column lift: precision divided by the share of all explained documents that are predicted as the class
-- column strongest: share of its documents in which no other word is more relevant for the class
WITH best AS (
    SELECT document, role, model, arg_max(label, probability) AS label FROM predictions GROUP BY ALL
), chosen AS MATERIALIZED (
    SELECT e.explanation, e.model, e.composite, e.label, e.document, (b.label = e.label)::INTEGER AS hit, (d.label = e.label)::INTEGER AS gold
    FROM explanations e JOIN documents d ON d.document = e.document
    JOIN best b ON b.document = e.document AND b.role = e.role AND b.model = e.model
    WHERE CASE WHEN $model::VARCHAR IS NULL THEN e.member_of IS NULL ELSE e.model = $model END
      AND ($composite::VARCHAR IS NULL OR e.composite = $composite) AND ($corpus::VARCHAR IS NULL OR d.corpus = $corpus)
), prior AS (
    SELECT p.model, p.label, p.hits / q.documents AS share
    FROM (SELECT model, label, count(*) AS hits FROM best GROUP BY ALL) p
    JOIN (SELECT model, count(*) AS documents FROM best GROUP BY ALL) q ON q.model = p.model
), occurrence AS (
    SELECT c.model, c.composite, c.label, c.document, c.hit, c.gold,
           nfc_normalize(CASE WHEN $form::VARCHAR = 'form' THEN w.form ELSE coalesce(w.lemma, w.form) END) AS term, w.relevance::DOUBLE AS relevance,
           greatest(w.relevance, 0) / nullif(sum(greatest(w.relevance::DOUBLE, 0)) OVER explained, 0) AS share,
           (w.relevance = max(w.relevance) OVER explained)::INTEGER AS strongest
    FROM word_relevance w JOIN chosen c ON c.explanation = w.explanation
    WHERE w.kind = 'word' AND w.upos IS DISTINCT FROM 'PUNCT' AND w.upos IS DISTINCT FROM 'SPACE'
    WINDOW explained AS (PARTITION BY w.explanation)
), within AS (
    SELECT model, composite, label, term, document, any_value(hit) AS hit, any_value(gold) AS gold, sum(relevance) AS relevance,
           sum(share) AS share, max(strongest) AS strongest, count(*) AS occurrences
    FROM occurrence GROUP BY ALL
)
SELECT w.model, w.composite, w.label, w.term, sum(w.relevance) / sum(w.occurrences) AS mean, coalesce(avg(w.share), 0) AS share,
       avg(w.hit) AS precision, avg(w.gold) AS gold_precision, avg(w.hit) / any_value(p.share) AS lift, avg(w.strongest) AS strongest,
       count(*) AS documents, sum(w.occurrences)::BIGINT AS occurrences
FROM within w JOIN prior p ON p.model = w.model AND p.label = w.label
WHERE $terms::VARCHAR[] IS NULL OR list_contains($terms::VARCHAR[], w.term)
GROUP BY w.model, w.composite, w.label, w.term
HAVING count(*) >= $minimum_documents::INTEGER AND avg(w.hit) >= $minimum_precision::DOUBLE
   AND avg(w.hit) >= $minimum_lift::DOUBLE * any_value(p.share) AND avg(w.share) >= $minimum_share::DOUBLE AND sum(w.relevance) > 0
QUALIFY row_number() OVER (PARTITION BY w.model, w.composite, w.label ORDER BY avg(w.share) DESC, w.term) <= $limit::INTEGER
ORDER BY w.model, w.composite, w.label, share DESC, w.term
