-- Every pair of a contrast with its similarity, for the question insensitivity
-- parameter flipped (texts, default negation,antonym,contradiction): contrasts in which the meaning flips
-- parameter kept (texts, default paraphrase,passive,order,synonym,entailment): contrasts in which the meaning is kept
-- parameter unrelated (texts, default unrelated): contrasts of texts that have nothing to do with one another
-- parameter model (text, default none): only this model; several models stand apart
-- parameter composite (text, default none): only this composite
-- parameter corpus (text, default none): only pairs of this corpus
-- parameter languages (text, default none): only pairs in these languages: "en", "en-de" (first text English, second German)
-- column contrast: "contrast" of the pair's metadata, its "relation" where that is "none", otherwise its label
-- column meaning: "flipped", "kept", "unrelated" or "other"
-- column similarity, judged: by the model, and by people where they judged
-- rows documents: corpus = {corpus} AND identifier = {identifier}
WITH named AS (
    SELECT p.*, CASE WHEN left_language IS NOT DISTINCT FROM right_language THEN left_language
                ELSE left_language || '-' || right_language END AS languages,
           coalesce(nullif(d.metadata ->> 'contrast', 'none'), d.metadata ->> 'relation', p.label) AS contrast
    FROM pairs p JOIN documents d ON d.document = p.document
), chosen AS MATERIALIZED (
    SELECT explanation, corpus, identifier, languages, model, composite, target, contrast, similarity, judged,
           CASE WHEN list_contains($flipped::VARCHAR[], lower(contrast)) THEN 'flipped'
                WHEN list_contains($kept::VARCHAR[], lower(contrast)) THEN 'kept'
                WHEN list_contains($unrelated::VARCHAR[], lower(contrast)) THEN 'unrelated' ELSE 'other' END AS meaning
    FROM named
    WHERE contrast IS NOT NULL AND ($model::VARCHAR IS NULL OR model = $model) AND ($composite::VARCHAR IS NULL OR composite = $composite)
      AND ($corpus::VARCHAR IS NULL OR corpus = $corpus) AND ($languages::VARCHAR IS NULL OR languages = $languages)
)
SELECT corpus, languages, model, composite, target, contrast, meaning, similarity, judged, identifier FROM chosen
ORDER BY corpus, languages, model, composite, target, meaning, contrast, similarity DESC, identifier
