-- Interactions of two texts, and the factors of each text from which the interactions of any two are a product.
--
-- A cell carries the annotation of both its ends, as the worker saw it: corpus questions need no join, and words that another annotator finds
-- later do not change what a stored cell means.

CREATE TABLE kept.interaction (
    explanation INTEGER NOT NULL,
    left_kind VARCHAR NOT NULL,
    left_word INTEGER,
    right_kind VARCHAR NOT NULL,
    right_word INTEGER,
    relevance REAL NOT NULL CHECK (isfinite(relevance)),
    matched VARCHAR,
    left_form VARCHAR,
    left_lemma VARCHAR,
    left_upos VARCHAR,
    left_relation VARCHAR,
    right_form VARCHAR,
    right_lemma VARCHAR,
    right_upos VARCHAR,
    right_relation VARCHAR
);

CREATE TABLE kept.factor (
    explanation INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    word INTEGER,
    precision VARCHAR NOT NULL,
    vector BLOB NOT NULL
);

-- The role of a pair's explanation names both roles: text_a~text_b, query~passage.
CREATE VIEW main.pairs AS
SELECT e.explanation, e.document, d.corpus, d.identifier, d.label, d.split, e.model, e.composite, e.target,
       split_part(e.role, '~', 1) AS left_role, split_part(e.role, '~', 2) AS right_role,
       coalesce(d.metadata -> 'languages' ->> split_part(e.role, '~', 1), d.language) AS left_language,
       coalesce(d.metadata -> 'languages' ->> split_part(e.role, '~', 2), d.language) AS right_language,
       e.target_value AS similarity, try_cast(d.metadata ->> 'similarity' AS DOUBLE) AS judged,
       e.tokens, e.positions, e.biases, e.softmax, e.gap, e.coverage,
       l.text AS left_text, r.text AS right_text
FROM kept.explanation e
JOIN kept.document d ON d.document = e.document
LEFT JOIN kept.segment l ON l.document = e.document AND l.role = split_part(e.role, '~', 1)
LEFT JOIN kept.segment r ON r.document = e.document AND r.role = split_part(e.role, '~', 2)
WHERE contains(e.role, '~');

CREATE VIEW main.interactions AS
SELECT i.explanation, e.document, e.model, e.composite, e.target_value AS similarity, i.left_kind, i.left_word, i.left_form, i.left_lemma,
       i.left_upos, i.left_relation, i.right_kind, i.right_word, i.right_form, i.right_lemma, i.right_upos, i.right_relation, i.matched,
       i.relevance
FROM kept.interaction i JOIN kept.explanation e ON e.explanation = i.explanation;

CREATE VIEW main.factors AS
SELECT f.explanation, e.document, e.role, e.model, e.composite, f.kind, f.word, f.precision, f.vector
FROM kept.factor f JOIN kept.explanation e ON e.explanation = f.explanation;

-- What checks the factors of a text is no faithfulness either.
CREATE OR REPLACE VIEW main.faithfulness AS SELECT * FROM kept.score WHERE method NOT IN ('tokenizer', 'factors');

COMMENT ON TABLE kept.interaction IS 'what each unit of one text shares with each unit of the other; the cells of a pair sum to its similarity';
COMMENT ON COLUMN kept.interaction.explanation IS 'number of the explanation in this store';
COMMENT ON COLUMN kept.interaction.left_kind IS 'word, special, uncovered, positions, bias or softmax; rest (on both sides) for the sum of all cells that were left out';
COMMENT ON COLUMN kept.interaction.left_word IS 'index of the word in the first text, NULL for what is no word';
COMMENT ON COLUMN kept.interaction.right_kind IS 'the same for the second text';
COMMENT ON COLUMN kept.interaction.right_word IS 'index of the word in the second text, NULL for what is no word';
COMMENT ON COLUMN kept.interaction.relevance IS 'interaction in units of the similarity; all cells of a pair sum to it';
COMMENT ON COLUMN kept.interaction.matched IS 'identical (same form), lemma, translation or other; NULL unless both ends are words';
COMMENT ON COLUMN kept.interaction.left_form IS 'the first word as written';
COMMENT ON COLUMN kept.interaction.left_lemma IS 'its dictionary form';
COMMENT ON COLUMN kept.interaction.left_upos IS 'its universal part of speech';
COMMENT ON COLUMN kept.interaction.left_relation IS 'its dependency relation';
COMMENT ON COLUMN kept.interaction.right_form IS 'the second word as written';
COMMENT ON COLUMN kept.interaction.right_lemma IS 'its dictionary form';
COMMENT ON COLUMN kept.interaction.right_upos IS 'its universal part of speech';
COMMENT ON COLUMN kept.interaction.right_relation IS 'its dependency relation';

COMMENT ON VIEW main.interactions IS 'what each unit of one text shares with each unit of the other; the cells of a pair sum to its similarity';
COMMENT ON COLUMN main.interactions.explanation IS 'number of the explanation in this store';
COMMENT ON COLUMN main.interactions.document IS 'number of the document in this store';
COMMENT ON COLUMN main.interactions.model IS 'name of the model';
COMMENT ON COLUMN main.interactions.composite IS 'name of the composite';
COMMENT ON COLUMN main.interactions.similarity IS 'similarity of the two texts, in units of the target';
COMMENT ON COLUMN main.interactions.left_kind IS 'word, special, uncovered, positions, bias or softmax; rest (on both sides) for the sum of all cells that were left out';
COMMENT ON COLUMN main.interactions.left_word IS 'index of the word in the first text, NULL for what is no word';
COMMENT ON COLUMN main.interactions.left_form IS 'the first word as written';
COMMENT ON COLUMN main.interactions.left_lemma IS 'its dictionary form';
COMMENT ON COLUMN main.interactions.left_upos IS 'its universal part of speech';
COMMENT ON COLUMN main.interactions.left_relation IS 'its dependency relation';
COMMENT ON COLUMN main.interactions.right_kind IS 'the same for the second text';
COMMENT ON COLUMN main.interactions.right_word IS 'index of the word in the second text, NULL for what is no word';
COMMENT ON COLUMN main.interactions.right_form IS 'the second word as written';
COMMENT ON COLUMN main.interactions.right_lemma IS 'its dictionary form';
COMMENT ON COLUMN main.interactions.right_upos IS 'its universal part of speech';
COMMENT ON COLUMN main.interactions.right_relation IS 'its dependency relation';
COMMENT ON COLUMN main.interactions.matched IS 'identical (same form), lemma, translation or other; NULL unless both ends are words';
COMMENT ON COLUMN main.interactions.relevance IS 'interaction in units of the similarity; all cells of a pair sum to it';

COMMENT ON TABLE kept.factor IS 'what each unit of a text contributes to its embedding; the product of two vectors is the interaction of their units';
COMMENT ON COLUMN kept.factor.explanation IS 'number of the explanation in this store';
COMMENT ON COLUMN kept.factor.kind IS 'word, special, uncovered, positions, bias or softmax';
COMMENT ON COLUMN kept.factor.word IS 'index of the word, NULL for what is no word';
COMMENT ON COLUMN kept.factor.precision IS 'float16 or float32';
COMMENT ON COLUMN kept.factor.vector IS 'numbers of this precision, little-endian: what the unit contributes to each dimension, in units of the similarity';

COMMENT ON VIEW main.factors IS 'what each unit of a text contributes to its embedding; the product of two vectors is the interaction of their units';
COMMENT ON COLUMN main.factors.explanation IS 'number of the explanation in this store';
COMMENT ON COLUMN main.factors.document IS 'number of the document in this store';
COMMENT ON COLUMN main.factors.role IS 'which text of the document: text_a, text_b, query, passage';
COMMENT ON COLUMN main.factors.model IS 'name of the model';
COMMENT ON COLUMN main.factors.composite IS 'name of the composite';
COMMENT ON COLUMN main.factors.kind IS 'word, special, uncovered, positions, bias or softmax';
COMMENT ON COLUMN main.factors.word IS 'index of the word, NULL for what is no word';
COMMENT ON COLUMN main.factors.precision IS 'float16 or float32';
COMMENT ON COLUMN main.factors.vector IS 'numbers of this precision, little-endian: what the unit contributes to each dimension, in units of the similarity';

COMMENT ON VIEW main.pairs IS 'pairs of texts with their similarity, and what of it each account holds';
COMMENT ON COLUMN main.pairs.explanation IS 'number of the pair''s explanation in this store';
COMMENT ON COLUMN main.pairs.document IS 'number of the document in this store';
COMMENT ON COLUMN main.pairs.corpus IS 'name of the corpus';
COMMENT ON COLUMN main.pairs.identifier IS 'identifier in the corpus';
COMMENT ON COLUMN main.pairs.label IS 'label of the document';
COMMENT ON COLUMN main.pairs.split IS 'published split';
COMMENT ON COLUMN main.pairs.model IS 'name of the model';
COMMENT ON COLUMN main.pairs.composite IS 'name of the composite';
COMMENT ON COLUMN main.pairs.target IS 'cosine or dot';
COMMENT ON COLUMN main.pairs.left_role IS 'role of the first text';
COMMENT ON COLUMN main.pairs.right_role IS 'role of the second text';
COMMENT ON COLUMN main.pairs.left_language IS 'language of the first text';
COMMENT ON COLUMN main.pairs.right_language IS 'language of the second text';
COMMENT ON COLUMN main.pairs.similarity IS 'similarity that the model gives';
COMMENT ON COLUMN main.pairs.judged IS 'similarity that people gave, on the corpus''s scale';
COMMENT ON COLUMN main.pairs.tokens IS 'cells between words, special and uncovered tokens';
COMMENT ON COLUMN main.pairs.positions IS 'cells with positions on a side, and none of the following';
COMMENT ON COLUMN main.pairs.biases IS 'cells with biases on a side, and no softmax';
COMMENT ON COLUMN main.pairs.softmax IS 'cells with what softmax absorbed on a side';
COMMENT ON COLUMN main.pairs.gap IS 'similarity minus all cells';
COMMENT ON COLUMN main.pairs.coverage IS 'smaller share of the characters that the model saw';
COMMENT ON COLUMN main.pairs.left_text IS 'the first text';
COMMENT ON COLUMN main.pairs.right_text IS 'the second text';

COMMENT ON VIEW main.faithfulness IS 'evaluation scores of methods';
COMMENT ON COLUMN main.faithfulness.document IS 'number of the document in this store';
COMMENT ON COLUMN main.faithfulness.role IS 'which text of the document: text, text_a, text_b, source, reference, hypothesis';
COMMENT ON COLUMN main.faithfulness.model IS 'name of the model';
COMMENT ON COLUMN main.faithfulness.method IS 'method whose order was tested';
COMMENT ON COLUMN main.faithfulness.ordering IS 'signed or absolute relevance';
COMMENT ON COLUMN main.faithfulness.metric IS 'name of the score';
COMMENT ON COLUMN main.faithfulness.value IS 'the score';
