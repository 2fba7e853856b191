-- Pairs of words that carry most of the similarity of a corpus
-- parameter model (text, default none): only this model; several models stand apart
-- parameter composite (text, default none): only this composite
-- parameter corpus (text, default none): only pairs of this corpus
-- parameter split (text, default none): only pairs of this split
-- parameter languages (text, default none): only pairs in these languages: "en", "en-de" (first text English, second German)
-- parameter label (text, default none): only pairs with this label
-- parameter form (text, default lemma): "lemma" (the form where there is none) or "form", without case
-- parameter order (text, default sum): rank by |sum| or by |mean| ("mean") of a pair of words
-- parameter minimum_pairs (integer, default 1): only pairs of words that stand in at least so many pairs of texts
-- parameter match (text, default none): only words with this in common: "identical", "lemma", "translation" or "other" (synonyms, for example)
-- parameter limit (integer, default 30): pairs of words
-- parameter punctuation (boolean, default false): with punctuation and symbols
-- parameter rest (text, default refuse): pairs of which only the strongest cells were kept: "refuse", or "report" the others as the class "rest"
-- parameter resamples (integer, default 1000): bootstrap resamples of the pairs of texts
-- parameter seed (integer, default 0): seed of the bootstrap
-- column left_term, right_term: two words; in texts of one language in alphabetical order, both orders are one row
-- column mean, low, high: mean of one interaction, 95 % bootstrap interval over the pairs of texts that have it
-- column sum, share: sum of the interactions, and its share of the summed relevance between words
-- column interactions, pairs: cells, and pairs of texts
-- column match: what the two words have in common most often
-- rows named_words of relevance: languages IS NOT DISTINCT FROM {languages} AND CASE WHEN alike THEN least(one, other) ELSE one END = {left_term} AND CASE WHEN alike THEN greatest(one, other) ELSE other END = {right_term} AND model = {model} AND composite = {composite} AND target = {target}
WITH named AS (
    SELECT *, CASE WHEN left_language IS NOT DISTINCT FROM right_language THEN left_language
                ELSE left_language || '-' || right_language END AS languages
    FROM pairs
), chosen AS MATERIALIZED (
    SELECT explanation, model, composite, target, languages, left_language IS NOT DISTINCT FROM right_language AS alike FROM named
    WHERE ($model::VARCHAR IS NULL OR model = $model) AND ($composite::VARCHAR IS NULL OR composite = $composite)
      AND ($corpus::VARCHAR IS NULL OR corpus = $corpus) AND ($split::VARCHAR IS NULL OR split = $split)
      AND ($languages::VARCHAR IS NULL OR languages = $languages) AND ($label::VARCHAR IS NULL OR label = $label)
), cell AS (
    SELECT c.model, c.composite, c.target, c.languages, c.alike, i.*
    FROM (SELECT * EXCLUDE (model, composite) FROM interactions) i JOIN chosen c ON c.explanation = i.explanation
    WHERE (i.left_kind = 'word' AND i.right_kind = 'word') OR i.left_kind = 'rest'
), whole AS (
    SELECT model, composite, target, languages, sum(relevance::DOUBLE) AS relevance,
           count(DISTINCT explanation) FILTER (left_kind = 'rest') AS cut,
           count(DISTINCT explanation) AS pairs
    FROM cell GROUP BY ALL
), named_words AS (
    SELECT *, nfc_normalize(lower(CASE WHEN $form::VARCHAR = 'form' THEN left_form ELSE coalesce(left_lemma, left_form) END)) AS one,
           nfc_normalize(lower(CASE WHEN $form::VARCHAR = 'form' THEN right_form ELSE coalesce(right_lemma, right_form) END)) AS other
    FROM cell
    WHERE left_kind = 'word' AND ($match::VARCHAR IS NULL OR matched = $match)
      AND ($punctuation::BOOLEAN OR (left_upos IS DISTINCT FROM 'PUNCT' AND right_upos IS DISTINCT FROM 'PUNCT'
                                     AND left_upos IS DISTINCT FROM 'SYM' AND right_upos IS DISTINCT FROM 'SYM'))
), occurrence AS MATERIALIZED (
    SELECT model, composite, target, languages, CASE WHEN alike THEN least(one, other) ELSE one END AS left_term,
           CASE WHEN alike THEN greatest(one, other) ELSE other END AS right_term, explanation,
           sum(relevance::DOUBLE) AS relevance, count(*) AS occurrences, mode(matched ORDER BY matched) AS match
    FROM named_words GROUP BY ALL
), term AS (
    SELECT model, composite, target, languages, left_term, right_term, sum(relevance) AS sum, sum(relevance) / sum(occurrences) AS mean,
           sum(occurrences)::BIGINT AS interactions, count(*) AS pairs, mode(match ORDER BY match) AS match
    FROM occurrence GROUP BY ALL HAVING count(*) >= $minimum_pairs::INTEGER
), ranked AS (
    SELECT t.*, t.sum / nullif(w.relevance, 0) AS share, w.cut, w.pairs AS all_pairs,
           (row_number() OVER (PARTITION BY t.model, t.composite, t.target, t.languages
                              ORDER BY abs(CASE WHEN $order::VARCHAR = 'mean' THEN mean ELSE sum END) DESC, left_term, right_term))::INTEGER AS rank
    FROM term t
    JOIN whole w ON w.model = t.model AND w.composite = t.composite AND w.target = t.target AND w.languages IS NOT DISTINCT FROM t.languages
)
SELECT r.model, r.composite, r.target, r.languages, r.rank, r.mean, r.sum, r.share,
       r.interactions, r.pairs, r.match, r.left_term, r.right_term, r.cut, r.all_pairs,
       list(o.relevance ORDER BY o.explanation) AS relevance_by_document, list(o.occurrences ORDER BY o.explanation) AS occurrences_by_document
FROM ranked r
JOIN occurrence o ON o.model = r.model AND o.composite = r.composite AND o.target = r.target AND o.languages IS NOT DISTINCT FROM r.languages
  AND o.left_term = r.left_term AND o.right_term = r.right_term
WHERE r.rank <= $limit::INTEGER GROUP BY ALL ORDER BY r.model, r.composite, r.target, r.languages, r.rank
