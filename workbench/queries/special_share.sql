-- What words, special tokens, positions, biases and softmax hold of the similarity
-- parameter model (text, default none): only this model; several models stand apart
-- parameter composite (text, default none): only this composite
-- parameter corpus (text, default none): only pairs of this corpus
-- parameter split (text, default none): only pairs of this split
-- parameter languages (text, default none): only pairs in these languages: "en", "en-de" (first text English, second German)
-- parameter label (text, default none): only pairs with this label
-- parameter resamples (integer, default 1000): bootstrap resamples of the pairs of texts
-- parameter seed (integer, default 0): seed of the bootstrap
-- column account: "word", "special" (special tokens), "uncovered" (tokens that touch no word), "positions", "bias", "softmax", or "rest" (cells that were not kept); a cell belongs to the later of its two ends
-- column share: share of the summed similarity; none where that sum is not positive
-- column low, high: 95 % bootstrap interval of the share over pairs of texts; none where the sum may be zero or less
-- column interactions, pairs: cells, and pairs of texts that have one
-- column lift, lift_low, lift_high: share of the sum over the share of the cells, 1 is what their number alone would give; 95 % interval over pairs
-- column mean, mean_low, mean_high: mean of one cell in units of the similarity, 95 % interval over pairs of texts
-- column sum: sum of the cells over all pairs of texts
-- rows placed of relevance: account = {account} AND model = {model} AND composite = {composite} AND target = {target}
WITH named AS (
    SELECT *, CASE WHEN left_language IS NOT DISTINCT FROM right_language THEN left_language
                ELSE left_language || '-' || right_language END AS languages
    FROM pairs
), chosen AS MATERIALIZED (
    SELECT explanation, model, composite, target, languages FROM named
    WHERE ($model::VARCHAR IS NULL OR model = $model) AND ($composite::VARCHAR IS NULL OR composite = $composite)
      AND ($corpus::VARCHAR IS NULL OR corpus = $corpus) AND ($split::VARCHAR IS NULL OR split = $split)
      AND ($languages::VARCHAR IS NULL OR languages = $languages) AND ($label::VARCHAR IS NULL OR label = $label)
), cell AS (
    SELECT c.model, c.composite, c.target, c.languages, i.*
    FROM (SELECT * EXCLUDE (model, composite) FROM interactions) i JOIN chosen c ON c.explanation = i.explanation
), placed AS (
    SELECT model, composite, target, document, explanation AS pair, relevance, left_kind,
           CASE WHEN 'rest' IN (left_kind, right_kind) THEN 'rest' WHEN 'softmax' IN (left_kind, right_kind) THEN 'softmax'
                WHEN 'bias' IN (left_kind, right_kind) THEN 'bias' WHEN 'positions' IN (left_kind, right_kind) THEN 'positions'
                WHEN 'special' IN (left_kind, right_kind) THEN 'special' WHEN 'uncovered' IN (left_kind, right_kind) THEN 'uncovered'
                ELSE 'word' END AS account
    FROM cell
)
SELECT model, composite, target, account, pair, sum(relevance::DOUBLE) AS part, count(*) FILTER (left_kind <> 'rest') AS cells
FROM placed GROUP BY ALL ORDER BY ALL
