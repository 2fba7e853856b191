-- Pairs of texts and their similarity, by corpus, languages, model and label
-- parameter model (text, default none): only this model; several models stand apart
-- parameter composite (text, default none): only this composite
-- parameter corpus (text, default none): only pairs of this corpus
-- parameter split (text, default none): only pairs of this split
-- parameter languages (text, default none): only pairs in these languages: "en", "en-de" (first text English, second German)
-- parameter label (text, default none): only pairs with this label
-- column label: the label, or "all" for all pairs of the corpus in these languages
-- column mean, lowest, highest: similarity by the model
-- column spearman, judged: rank correlation with people's judgement, over the pairs that have one
-- column tokens, positions, biases, softmax: share of the summed similarity in each account of the ledger (tokens: words, special and uncovered); none where that sum is not positive
-- column largest_gap: the largest difference of a similarity to the sum of its cells
-- column coverage: the smallest share of a text that the model saw
-- column cut: pairs of which only the strongest cells were kept
-- rows named of similarity: corpus = {corpus} AND languages IS NOT DISTINCT FROM {languages} AND ({label} = 'all' OR label = {label}) AND model = {model} AND composite = {composite} AND target = {target} AND ($split IS NULL OR split = $split) AND ($label IS NULL OR label = $label)
WITH named AS (
    SELECT *, CASE WHEN left_language IS NOT DISTINCT FROM right_language THEN left_language
                ELSE left_language || '-' || right_language END AS languages
    FROM pairs
), cut AS (
    SELECT DISTINCT explanation FROM interactions WHERE left_kind = 'rest'
)
SELECT n.corpus, n.languages, n.model, n.composite, n.target, n.label, n.similarity, n.judged, n.tokens, n.positions, n.biases, n.softmax,
       abs(n.gap) AS gap, n.coverage, c.explanation IS NOT NULL AS cut
FROM named n LEFT JOIN cut c ON c.explanation = n.explanation
WHERE ($model::VARCHAR IS NULL OR model = $model) AND ($composite::VARCHAR IS NULL OR composite = $composite)
  AND ($corpus::VARCHAR IS NULL OR corpus = $corpus) AND ($split::VARCHAR IS NULL OR split = $split)
  AND ($languages::VARCHAR IS NULL OR languages = $languages) AND ($label::VARCHAR IS NULL OR label = $label)
ORDER BY ALL
