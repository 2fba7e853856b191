-- Two models on the same pairs: how similarity differs, and what it is made of
-- parameter model (text): one model
-- parameter other (text): the other model
-- parameter composite (text, default none): only this composite
-- parameter corpus (text, default none): only pairs of this corpus
-- parameter split (text, default none): only pairs of this split
-- parameter languages (text, default none): only pairs in these languages: "en", "en-de" (first text English, second German)
-- parameter limit (integer, default 20): rows for each kind of class, the largest differences first
-- parameter rest (text, default refuse): pairs of which only the strongest cells were kept: "refuse", or "report" the others as the class "rest"
-- parameter resamples (integer, default 1000): bootstrap resamples of the pairs of texts
-- parameter seed (integer, default 0): seed of the bootstrap
-- column what: "similarity", "account" (share of the summed similarity), "match" or "upos" (share of the summed relevance between words)
-- column name: the class; both orders of two parts of speech are one
-- column first, second: mean similarity, or share of the class, by `model` and by `other`
-- column difference, low, high: first minus second, with the 95 % bootstrap interval over pairs of texts, drawn for both models at once
-- column pairs: pairs of texts that both models explain
-- rows placed of relevance: what = {what} AND name = {name} AND composite = {composite} AND target = {target}
WITH named AS (
    SELECT *, CASE WHEN left_language IS NOT DISTINCT FROM right_language THEN left_language
                ELSE left_language || '-' || right_language END AS languages
    FROM pairs
), wanted AS (
    SELECT * FROM named
    WHERE model IN ($model, $other) AND ($composite::VARCHAR IS NULL OR composite = $composite)
      AND ($corpus::VARCHAR IS NULL OR corpus = $corpus) AND ($split::VARCHAR IS NULL OR split = $split) AND ($languages::VARCHAR IS NULL OR languages = $languages)
), chosen AS MATERIALIZED (
    SELECT w.*, w.model = $model AS first, w.document AS pair FROM wanted w
    WHERE EXISTS (FROM wanted v WHERE v.document = w.document AND v.left_role = w.left_role AND v.right_role = w.right_role
                    AND v.target = w.target AND v.composite = w.composite AND v.model <> w.model)
), cell AS (
    SELECT c.composite, c.target, c.pair, c.first, i.left_kind, i.right_kind, i.left_upos, i.right_upos, i.matched, i.relevance
    FROM interactions i JOIN chosen c ON c.explanation = i.explanation
), placed AS (
    SELECT composite, target, pair, pair AS document, first, relevance, unnest([
        {'what': 'account', 'name': CASE
            WHEN 'rest' IN (left_kind, right_kind) THEN 'rest' WHEN 'softmax' IN (left_kind, right_kind) THEN 'softmax'
            WHEN 'bias' IN (left_kind, right_kind) THEN 'bias' WHEN 'positions' IN (left_kind, right_kind) THEN 'positions'
            WHEN 'special' IN (left_kind, right_kind) THEN 'special' WHEN 'uncovered' IN (left_kind, right_kind) THEN 'uncovered'
            ELSE 'word' END},
        {'what': 'match', 'name': CASE WHEN left_kind = 'rest' THEN 'rest' WHEN left_kind = 'word' AND right_kind = 'word'
            THEN coalesce(matched, 'other') END},
        {'what': 'upos', 'name': CASE WHEN left_kind = 'rest' THEN 'rest' WHEN left_kind = 'word' AND right_kind = 'word'
            THEN least(coalesce(left_upos, 'none'), coalesce(right_upos, 'none')) || '–'
                 || greatest(coalesce(left_upos, 'none'), coalesce(right_upos, 'none')) END}
    ], recursive := true)
    FROM cell
)
SELECT composite, target, what, name, pair, first, sum(relevance::DOUBLE) AS part FROM placed WHERE name IS NOT NULL GROUP BY ALL
UNION ALL SELECT composite, target, 'similarity', 'similarity', pair, first, similarity FROM chosen
ORDER BY ALL
