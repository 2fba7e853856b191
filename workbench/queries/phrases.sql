-- Phrases: relevant words that stand together, or that grammar joins, as one
-- parameter link (text of adjacent|dependency|both, default adjacent): words are of one phrase where they stand side by side, where one depends on the other, or where either holds
-- parameter cover (number, default 0.7): a text's most relevant words are salient that together hold this share of its positive relevance
-- parameter gap (integer, default 0): other words that may stand between two salient words of a phrase (they become part of it)
-- parameter against (boolean, default false): phrases that speak against the class, from negative relevance
-- parameter minimum_words (integer, default 2): only phrases of at least so many words
-- parameter minimum_documents (integer, default 1): only phrases in at least so many documents
-- parameter form (text, default lemma): "lemma" (the form where there is none) or "form"; encodings of one letter are one (NFC)
-- parameter limit (integer, default 20): phrases for each class
-- parameter label (text, default none): only this class explained
-- parameter model (text, default none): only this model; none: every model that is not a mere member of an ensemble
-- parameter composite (text, default none): only this composite
-- parameter corpus (text, default none): only documents of this corpus
-- parameter split (text, default none): only documents of this split, or of its clean part ("test:clean": no text of an earlier split)
-- parameter predicted (boolean, default false): only explanations of the class that the model predicts
-- parameter resamples (integer, default 1000): bootstrap resamples of the documents
-- parameter seed (integer, default 0): seed of the bootstrap
-- column phrase: its words by lemma or form; … stands where words between are no part of it
-- column mean, low, high: mean relevance of one occurrence (the sum of its words), with the 95 % bootstrap interval over documents
-- column share: share of the positive relevance of all texts of the class
-- column words: number of its words
-- column upos: parts of speech of its words, of the most frequent reading
-- column documents, occurrences: in how many documents, how often
-- column pattern: the phrase in CQL, for `workbench find`
-- rows placed of relevance: salient AND list_contains(string_split({phrase}, ' '), nfc_normalize(CASE WHEN $form::VARCHAR = 'form' THEN form ELSE coalesce(lemma, form) END)) AND label IS NOT DISTINCT FROM {label} AND model = {model} AND composite = {composite}
-- pattern {pattern!}
WITH best AS (
    SELECT document, role, model, arg_max(label, probability) AS label FROM predictions GROUP BY ALL
), chosen AS (
    SELECT e.explanation FROM explanations e JOIN documents d ON d.document = e.document
    LEFT JOIN best b ON b.document = e.document AND b.role = e.role AND b.model = e.model
    WHERE CASE WHEN $model::VARCHAR IS NULL THEN e.member_of IS NULL ELSE e.model = $model END
      AND ($composite::VARCHAR IS NULL OR e.composite = $composite) AND ($label::VARCHAR IS NULL OR e.label = $label)
      AND ($corpus::VARCHAR IS NULL OR d.corpus = $corpus) AND ($split::VARCHAR IS NULL OR (d.split = split_part($split, ':', 1) AND (NOT ends_with($split, ':clean') OR d.metadata->>'clean' = 'true')))
      AND (NOT $predicted::BOOLEAN OR e.label = b.label)
), sized AS (
    SELECT w.*, greatest(CASE WHEN $against::BOOLEAN THEN -w.relevance ELSE w.relevance END, 0)::DOUBLE AS size
    FROM word_relevance w SEMI JOIN chosen c ON c.explanation = w.explanation
    WHERE w.kind = 'word' AND w.upos IS DISTINCT FROM 'PUNCT' AND w.upos IS DISTINCT FROM 'SPACE'
), ranked AS (
    SELECT *, sum(size) OVER (PARTITION BY explanation) AS whole,
           sum(size) OVER (PARTITION BY explanation ORDER BY size DESC, word ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - size AS above
    FROM sized
), marked AS (
    SELECT *, size > 0 AND above < $cover::DOUBLE * whole AS salient FROM ranked
), placed AS (
    SELECT *, max(CASE WHEN salient THEN word END) OVER (PARTITION BY explanation ORDER BY word ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS last_salient,
           min(CASE WHEN salient THEN word END) OVER (PARTITION BY explanation ORDER BY word ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS next_salient
    FROM marked
)
SELECT p.model, p.composite, p.label, p.explanation, p.document, p.role, p.word, p.sentence, p.upos,
       p.lemma IS NOT NULL AND $form::VARCHAR <> 'form' AS lemmatised,
       nfc_normalize(CASE WHEN $form::VARCHAR = 'form' THEN p.form ELSE coalesce(p.lemma, p.form) END) AS term,
       p.relevance::DOUBLE AS relevance, p.whole, p.salient, x.head, x.char_start, x.char_end
FROM placed p JOIN words x ON x.document = p.document AND x.role = p.role AND x.word = p.word
WHERE p.salient OR p.next_salient - p.last_salient <= $gap::INTEGER + 1
ORDER BY p.explanation, p.word
