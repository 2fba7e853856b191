-- Does similarity fall where the meaning flips? Negations beside paraphrases
-- parameter flipped (texts, default negation,antonym,contradiction): contrasts in which the meaning flips
-- parameter kept (texts, default paraphrase,passive,order,synonym,entailment): contrasts in which the meaning is kept
-- parameter unrelated (texts, default unrelated): contrasts of texts that have nothing to do with one another
-- parameter model (text, default none): only this model; several models stand apart
-- parameter composite (text, default none): only this composite
-- parameter corpus (text, default none): only pairs of this corpus
-- parameter languages (text, default none): only pairs in these languages: "en", "en-de" (first text English, second German)
-- parameter resamples (integer, default 1000): bootstrap resamples of the pairs of texts
-- parameter seed (integer, default 0): seed of the bootstrap
-- column contrast: "contrast" of the pair's metadata, its "relation" where that is "none", otherwise its label
-- column meaning: "flipped", "kept", "unrelated" or "other"
-- column mean, low, high: similarity by the model, 95 % bootstrap interval over pairs
-- column nearness, near_low, near_high: how near to pairs whose meaning is kept: 0 as unrelated pairs, 1 as paraphrases; 95 % interval
-- column above: how often a pair of this contrast is more similar than a pair whose meaning is kept (0.5: as often as not)
-- rows chosen of similarity: corpus = {corpus} AND languages IS NOT DISTINCT FROM {languages} AND contrast = {contrast} AND model = {model} AND composite = {composite} AND target = {target}
WITH named AS (
    SELECT p.*, CASE WHEN left_language IS NOT DISTINCT FROM right_language THEN left_language
                ELSE left_language || '-' || right_language END AS languages,
           coalesce(nullif(d.metadata ->> 'contrast', 'none'), d.metadata ->> 'relation', p.label) AS contrast
    FROM pairs p JOIN documents d ON d.document = p.document
), chosen AS MATERIALIZED (
    SELECT explanation, document, corpus, identifier, languages, model, composite, target, contrast, similarity,
           CASE WHEN list_contains($flipped::VARCHAR[], lower(contrast)) THEN 'flipped'
                WHEN list_contains($kept::VARCHAR[], lower(contrast)) THEN 'kept'
                WHEN list_contains($unrelated::VARCHAR[], lower(contrast)) THEN 'unrelated' ELSE 'other' END AS meaning
    FROM named
    WHERE contrast IS NOT NULL AND ($model::VARCHAR IS NULL OR model = $model) AND ($composite::VARCHAR IS NULL OR composite = $composite)
      AND ($corpus::VARCHAR IS NULL OR corpus = $corpus) AND ($languages::VARCHAR IS NULL OR languages = $languages)
)
SELECT corpus, languages, model, composite, target, contrast, meaning, explanation AS pair, similarity FROM chosen ORDER BY ALL
