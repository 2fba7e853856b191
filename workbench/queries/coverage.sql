-- What was read and how much of it the models saw, by corpus
-- column documents, explained, failed: documents stored, with at least one explanation, and identifiers with a failure
-- column text_seen: mean share of the characters in front of the models' cut
-- column cut: documents of which a model saw only a part
-- column words_relevance, special_relevance, uncovered_relevance: share of |relevance| on words, special tokens, tokens that touch no word
-- rows documents: corpus = {corpus}
WITH seen AS (
    SELECT document, avg(coverage) AS coverage FROM explanations GROUP BY document
), placed AS (
    SELECT d.corpus, w.kind, sum(abs(w.relevance::DOUBLE)) AS size FROM word_relevance w JOIN documents d ON d.document = w.document GROUP BY ALL
), shares AS (
    SELECT corpus, sum(size) FILTER (kind = 'word') / nullif(sum(size), 0) AS words_relevance,
           coalesce(sum(size) FILTER (kind = 'special'), 0) / nullif(sum(size), 0) AS special_relevance,
           coalesce(sum(size) FILTER (kind = 'uncovered'), 0) / nullif(sum(size), 0) AS uncovered_relevance
    FROM placed GROUP BY corpus
), read AS (
    SELECT d.corpus, count(*) AS documents, count(s.document) AS explained, avg(s.coverage) AS text_seen, count(*) FILTER (s.coverage < 1) AS cut
    FROM documents d LEFT JOIN seen s ON s.document = d.document GROUP BY d.corpus
), failed AS (
    SELECT corpus, count(DISTINCT identifier) AS failed FROM failures GROUP BY corpus
)
SELECT corpus, coalesce(r.documents, 0) AS documents, coalesce(r.explained, 0) AS explained, coalesce(f.failed, 0) AS failed, r.text_seen,
       coalesce(r.cut, 0) AS cut, s.words_relevance, s.special_relevance, s.uncovered_relevance
FROM read r FULL JOIN failed f USING (corpus) LEFT JOIN shares s USING (corpus) ORDER BY corpus
