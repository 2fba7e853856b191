-- Nouns with nouns against verbs with verbs and function words, by languages
-- parameter model (text, default none): only this model; several models stand apart
-- parameter composite (text, default none): only this composite
-- parameter corpus (text, default none): only pairs of this corpus
-- parameter split (text, default none): only pairs of this split
-- parameter languages (text, default none): only pairs in these languages: "en", "en-de" (first text English, second German)
-- parameter label (text, default none): only pairs with this label
-- parameter rest (text, default refuse): pairs of which only the strongest cells were kept: "refuse", or "report" the others as the class "rest"
-- parameter resamples (integer, default 1000): bootstrap resamples of the pairs of texts
-- parameter seed (integer, default 0): seed of the bootstrap
-- column group: the languages of both texts
-- column classes: "noun–noun", "noun–verb", "verb–verb" (nouns: NOUN, PROPN; verbs: VERB), "function–function", "function–content", "content" (any other two words of content), "signs" (punctuation, symbols, X or no part of speech at an end)
-- column share: share of the summed relevance between words of these languages; none where that sum is not positive
-- column low, high: 95 % bootstrap interval of the share over pairs of texts; none where the sum may be zero or less
-- column interactions, pairs: cells, and pairs of texts that have one
-- column lift, lift_low, lift_high: share of the sum over the share of the cells, 1 is what their number alone would give; 95 % interval over pairs
-- column mean, mean_low, mean_high: mean of one cell in units of the similarity, 95 % interval over pairs of texts
-- column sum: sum of the cells over all pairs of texts
-- rows classed of relevance: classes = {classes} AND languages IS NOT DISTINCT FROM {group} AND model = {model} AND composite = {composite} AND target = {target}
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
    WHERE (i.left_kind = 'word' AND i.right_kind = 'word') OR i.left_kind = 'rest'
), kind AS (
    SELECT model, composite, target, languages, document, explanation AS pair, relevance, left_kind,
           CASE WHEN left_upos IN ('NOUN', 'PROPN') THEN 'noun' WHEN left_upos = 'VERB' THEN 'verb'
                WHEN left_upos IN ('ADP', 'AUX', 'CCONJ', 'DET', 'PART', 'PRON', 'SCONJ') THEN 'function'
                WHEN left_upos IN ('ADJ', 'ADV', 'INTJ', 'NUM') THEN 'content' ELSE 'signs' END AS one,
           CASE WHEN right_upos IN ('NOUN', 'PROPN') THEN 'noun' WHEN right_upos = 'VERB' THEN 'verb'
                WHEN right_upos IN ('ADP', 'AUX', 'CCONJ', 'DET', 'PART', 'PRON', 'SCONJ') THEN 'function'
                WHEN right_upos IN ('ADJ', 'ADV', 'INTJ', 'NUM') THEN 'content' ELSE 'signs' END AS other
    FROM cell
), classed AS (
    SELECT *, CASE WHEN left_kind = 'rest' THEN 'rest'
            WHEN 'signs' IN (one, other) THEN 'signs'
            WHEN one = 'function' AND other = 'function' THEN 'function–function'
            WHEN 'function' IN (one, other) THEN 'function–content'
            WHEN 'content' IN (one, other) THEN 'content'
            ELSE least(one, other) || '–' || greatest(one, other) END AS classes FROM kind
)
SELECT languages AS "group", model, composite, target, classes, pair, sum(relevance::DOUBLE) AS part, count(*) FILTER (left_kind <> 'rest') AS cells
FROM classed GROUP BY ALL ORDER BY ALL
