-- Which interactions keep the similarity up where the meaning flips
-- parameter flipped (texts, default negation,antonym,contradiction): contrasts in which the meaning flips
-- parameter kept (texts, default paraphrase,passive,order,synonym,entailment): contrasts in which the meaning is kept
-- parameter unrelated (texts, default unrelated): contrasts of texts that have nothing to do with one another
-- parameter model (text, default none): only this model; several models stand apart
-- parameter composite (text, default none): only this composite
-- parameter corpus (text, default none): only pairs of this corpus
-- parameter languages (text, default none): only pairs in these languages: "en", "en-de" (first text English, second German)
-- parameter negations (texts, default not,n't,no,never,none,nobody,nothing,neither,nor,cannot,without,nicht,kein,nie,niemals,niemand,nichts,ohne,ne,n',pas,jamais,aucun,personne,rien,sans,nunca,jamás,nadie,nada,ninguno,ningún,ninguna,sin,tampoco,না,নেই,নয়,নি): negation words, as lemma or form
-- parameter rest (text, default refuse): pairs of which only the strongest cells were kept: "refuse", or "report" the others as the class "rest"
-- parameter resamples (integer, default 1000): bootstrap resamples of the pairs of texts
-- parameter seed (integer, default 0): seed of the bootstrap
-- column contrast: "contrast" of the pair's metadata, its "relation" where that is "none", otherwise its label
-- column meaning: "flipped", "kept", "unrelated" or "other"
-- column part: "identical" (a word with itself), "lemma", "translation", "between shared" (different words, both in both texts), "differing" (a word at an end that the other text has not), "negation" (a negation word that the other text has not), "no word" (special tokens, positions, biases)
-- column share: share of the summed similarity; none where that sum is not positive
-- column low, high: 95 % bootstrap interval of the share over pairs of texts; none where the sum may be zero or less
-- column interactions, pairs: cells, and pairs of texts that have one
-- column lift, lift_low, lift_high: share of the sum over the share of the cells, 1 is what their number alone would give; 95 % interval over pairs
-- column mean, mean_low, mean_high: what the part gives to the similarity of one pair of texts, 95 % interval over pairs
-- column sum: sum of the cells over all pairs of texts
-- rows placed of relevance: part = {part} AND corpus = {corpus} AND languages IS NOT DISTINCT FROM {languages} AND contrast = {contrast} AND model = {model} AND composite = {composite} AND target = {target}
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
), cell AS MATERIALIZED (
    SELECT c.* EXCLUDE (identifier, similarity), i.relevance, i.matched, i.left_kind, i.right_kind, i.left_word, i.right_word,
           i.left_kind = 'word' AND i.right_kind = 'word' AS words,
           list_contains($negations::VARCHAR[], lower(i.left_form)) OR list_contains($negations::VARCHAR[], lower(i.left_lemma)) AS left_not,
           list_contains($negations::VARCHAR[], lower(i.right_form)) OR list_contains($negations::VARCHAR[], lower(i.right_lemma)) AS right_not
    FROM interactions i JOIN chosen c ON c.explanation = i.explanation
), ours AS (
    SELECT explanation, left_word, bool_or(matched IN ('identical', 'lemma', 'translation')) AS shared FROM cell WHERE words GROUP BY ALL
), theirs AS (
    SELECT explanation, right_word, bool_or(matched IN ('identical', 'lemma', 'translation')) AS shared FROM cell WHERE words GROUP BY ALL
), placed AS (
    SELECT c.*,
           CASE WHEN c.left_kind = 'rest' THEN 'rest' WHEN NOT c.words THEN 'no word'
                WHEN (NOT o.shared AND coalesce(c.left_not, false)) OR (NOT t.shared AND coalesce(c.right_not, false)) THEN 'negation'
                WHEN NOT o.shared OR NOT t.shared THEN 'differing'
                WHEN c.matched IN ('identical', 'lemma', 'translation') THEN c.matched ELSE 'between shared' END AS part
    FROM cell c
    LEFT JOIN ours o ON o.explanation = c.explanation AND o.left_word = c.left_word
    LEFT JOIN theirs t ON t.explanation = c.explanation AND t.right_word = c.right_word
)
SELECT corpus, languages, model, composite, target, contrast, meaning, part AS kind, explanation AS pair, sum(relevance::DOUBLE) AS part,
       count(*) FILTER (left_kind <> 'rest') AS cells
FROM placed GROUP BY corpus, languages, model, composite, target, contrast, meaning, kind, pair ORDER BY ALL
