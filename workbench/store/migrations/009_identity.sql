-- Which weights made an explanation, which version of an annotator found a text's words, and what earlier results said word by word.
--
-- What is superseded leaves the tables that people ask; its word relevance is kept as `earlier` until `workbench prune` removes it, so that two
-- runs can be compared.

ALTER TABLE kept.explanation ADD COLUMN weights VARCHAR;
UPDATE kept.explanation e SET weights = m.fingerprint FROM kept.model m WHERE m.name = e.model;

CREATE TABLE kept.annotation (document INTEGER NOT NULL, role VARCHAR NOT NULL, annotator VARCHAR NOT NULL, fingerprint VARCHAR);
INSERT INTO kept.annotation SELECT DISTINCT document, role, annotator, NULL FROM kept.word ORDER BY ALL;

CREATE TABLE kept.earlier_model (
    name VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, kind VARCHAR NOT NULL, parameters JSON NOT NULL, replaced TIMESTAMP NOT NULL
);

CREATE TABLE kept.earlier_explanation (
    earlier INTEGER NOT NULL,
    corpus VARCHAR NOT NULL,
    identifier VARCHAR NOT NULL,
    document_fingerprint VARCHAR NOT NULL,
    fingerprint VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    weights VARCHAR,
    composite VARCHAR NOT NULL,
    target VARCHAR NOT NULL,
    label VARCHAR,
    target_value DOUBLE CHECK (isfinite(target_value)),
    made INTEGER NOT NULL,
    gone INTEGER NOT NULL
);

CREATE TABLE kept.earlier_word (
    earlier INTEGER NOT NULL,
    kind kept.word_kind NOT NULL,
    word INTEGER,
    char_start INTEGER,
    char_end INTEGER,
    form VARCHAR,
    lemma VARCHAR,
    upos VARCHAR,
    relation VARCHAR,
    relevance REAL NOT NULL CHECK (isfinite(relevance))
);

CREATE OR REPLACE VIEW main.explanations AS
SELECT * EXCLUDE (digest), abs(gap) / greatest(abs(target_value), 1.0) AS relative_gap FROM kept.explanation;

CREATE VIEW main.annotations AS SELECT * FROM kept.annotation;
CREATE VIEW main.earlier_explanations AS SELECT * FROM kept.earlier_explanation;
CREATE VIEW main.earlier_words AS SELECT * FROM kept.earlier_word;

COMMENT ON COLUMN kept.explanation.weights IS 'fingerprint of the model that computed it';

COMMENT ON VIEW main.explanations IS 'one target explained for one text by one model: identity and ledger';
COMMENT ON COLUMN main.explanations.explanation IS 'number of the explanation in this store';
COMMENT ON COLUMN main.explanations.fingerprint IS 'SHA-256 of text, model, composite, target and reading';
COMMENT ON COLUMN main.explanations.document IS 'number of the document in this store';
COMMENT ON COLUMN main.explanations.role IS 'which text of the document: text, text_a, text_b, source, reference, hypothesis';
COMMENT ON COLUMN main.explanations.model IS 'name of the model';
COMMENT ON COLUMN main.explanations.tokenizer IS 'name of the tokenizer';
COMMENT ON COLUMN main.explanations.member_of IS 'explanation of the ensemble that this one belongs to';
COMMENT ON COLUMN main.explanations.composite IS 'name of the composite';
COMMENT ON COLUMN main.explanations.target IS 'kind of scalar explained';
COMMENT ON COLUMN main.explanations.label IS 'class explained';
COMMENT ON COLUMN main.explanations.target_value IS 'value of the target';
COMMENT ON COLUMN main.explanations.tokens IS 'account: relevance of tokens';
COMMENT ON COLUMN main.explanations.token_types IS 'account: relevance of token types';
COMMENT ON COLUMN main.explanations.positions IS 'account: relevance of positions';
COMMENT ON COLUMN main.explanations.decoder_inputs IS 'account: relevance of the decoder''s own inputs, 0 for a model without';
COMMENT ON COLUMN main.explanations.biases IS 'account: held by biases';
COMMENT ON COLUMN main.explanations.softmax IS 'account: absorbed by the softmax rule';
COMMENT ON COLUMN main.explanations.nonlinear IS 'account: absorbed by rules of other non-linear operations';
COMMENT ON COLUMN main.explanations.epsilon IS 'account: absorbed by epsilon';
COMMENT ON COLUMN main.explanations.gap IS 'target minus all accounts';
COMMENT ON COLUMN main.explanations.precision IS 'number format of the computation';
COMMENT ON COLUMN main.explanations.coverage IS 'share of the characters in front of the model''s cut';
COMMENT ON COLUMN main.explanations.batch IS 'batch that brought the row';
COMMENT ON COLUMN main.explanations.weights IS 'fingerprint of the model that computed it';
COMMENT ON COLUMN main.explanations.relative_gap IS '|gap| / max(|target|, 1)';

COMMENT ON TABLE kept.annotation IS 'who found the words of a text';
COMMENT ON COLUMN kept.annotation.document IS 'number of the document in this store';
COMMENT ON COLUMN kept.annotation.role IS 'which text of the document';
COMMENT ON COLUMN kept.annotation.annotator IS 'name of the annotator';
COMMENT ON COLUMN kept.annotation.fingerprint IS 'SHA-256 of the annotator''s files and versions, NULL where an older store did not say';

COMMENT ON VIEW main.annotations IS 'who found the words of a text';
COMMENT ON COLUMN main.annotations.document IS 'number of the document in this store';
COMMENT ON COLUMN main.annotations.role IS 'which text of the document';
COMMENT ON COLUMN main.annotations.annotator IS 'name of the annotator';
COMMENT ON COLUMN main.annotations.fingerprint IS 'SHA-256 of the annotator''s files and versions, NULL where an older store did not say';

COMMENT ON TABLE kept.earlier_explanation IS 'superseded explanations whose word relevance is still kept';
COMMENT ON COLUMN kept.earlier_explanation.earlier IS 'number among what is superseded';
COMMENT ON COLUMN kept.earlier_explanation.corpus IS 'name of the corpus';
COMMENT ON COLUMN kept.earlier_explanation.identifier IS 'identifier in the corpus';
COMMENT ON COLUMN kept.earlier_explanation.document_fingerprint IS 'fingerprint of the text that was explained';
COMMENT ON COLUMN kept.earlier_explanation.fingerprint IS 'SHA-256 of text, model, composite, target and reading';
COMMENT ON COLUMN kept.earlier_explanation.role IS 'which text of the document';
COMMENT ON COLUMN kept.earlier_explanation.model IS 'name of the model';
COMMENT ON COLUMN kept.earlier_explanation.weights IS 'fingerprint of the model that computed it';
COMMENT ON COLUMN kept.earlier_explanation.composite IS 'name of the composite';
COMMENT ON COLUMN kept.earlier_explanation.target IS 'kind of scalar explained';
COMMENT ON COLUMN kept.earlier_explanation.label IS 'class explained';
COMMENT ON COLUMN kept.earlier_explanation.target_value IS 'value of the target';
COMMENT ON COLUMN kept.earlier_explanation.made IS 'run that computed it';
COMMENT ON COLUMN kept.earlier_explanation.gone IS 'run that superseded it';

COMMENT ON VIEW main.earlier_explanations IS 'superseded explanations whose word relevance is still kept';
COMMENT ON COLUMN main.earlier_explanations.earlier IS 'number among what is superseded';
COMMENT ON COLUMN main.earlier_explanations.corpus IS 'name of the corpus';
COMMENT ON COLUMN main.earlier_explanations.identifier IS 'identifier in the corpus';
COMMENT ON COLUMN main.earlier_explanations.document_fingerprint IS 'fingerprint of the text that was explained';
COMMENT ON COLUMN main.earlier_explanations.fingerprint IS 'SHA-256 of text, model, composite, target and reading';
COMMENT ON COLUMN main.earlier_explanations.role IS 'which text of the document';
COMMENT ON COLUMN main.earlier_explanations.model IS 'name of the model';
COMMENT ON COLUMN main.earlier_explanations.weights IS 'fingerprint of the model that computed it';
COMMENT ON COLUMN main.earlier_explanations.composite IS 'name of the composite';
COMMENT ON COLUMN main.earlier_explanations.target IS 'kind of scalar explained';
COMMENT ON COLUMN main.earlier_explanations.label IS 'class explained';
COMMENT ON COLUMN main.earlier_explanations.target_value IS 'value of the target';
COMMENT ON COLUMN main.earlier_explanations.made IS 'run that computed it';
COMMENT ON COLUMN main.earlier_explanations.gone IS 'run that superseded it';

COMMENT ON TABLE kept.earlier_word IS 'word relevance of superseded explanations';
COMMENT ON COLUMN kept.earlier_word.earlier IS 'number among what is superseded';
COMMENT ON COLUMN kept.earlier_word.kind IS 'word, special or uncovered';
COMMENT ON COLUMN kept.earlier_word.word IS 'index of the word in its text, NULL for what is no word';
COMMENT ON COLUMN kept.earlier_word.char_start IS 'first character in the text';
COMMENT ON COLUMN kept.earlier_word.char_end IS 'character behind the last';
COMMENT ON COLUMN kept.earlier_word.form IS 'the word as written';
COMMENT ON COLUMN kept.earlier_word.lemma IS 'its dictionary form';
COMMENT ON COLUMN kept.earlier_word.upos IS 'its universal part of speech';
COMMENT ON COLUMN kept.earlier_word.relation IS 'its dependency relation';
COMMENT ON COLUMN kept.earlier_word.relevance IS 'relevance in units of the target';

COMMENT ON VIEW main.earlier_words IS 'word relevance of superseded explanations';
COMMENT ON COLUMN main.earlier_words.earlier IS 'number among what is superseded';
COMMENT ON COLUMN main.earlier_words.kind IS 'word, special or uncovered';
COMMENT ON COLUMN main.earlier_words.word IS 'index of the word in its text, NULL for what is no word';
COMMENT ON COLUMN main.earlier_words.char_start IS 'first character in the text';
COMMENT ON COLUMN main.earlier_words.char_end IS 'character behind the last';
COMMENT ON COLUMN main.earlier_words.form IS 'the word as written';
COMMENT ON COLUMN main.earlier_words.lemma IS 'its dictionary form';
COMMENT ON COLUMN main.earlier_words.upos IS 'its universal part of speech';
COMMENT ON COLUMN main.earlier_words.relation IS 'its dependency relation';
COMMENT ON COLUMN main.earlier_words.relevance IS 'relevance in units of the target';

COMMENT ON TABLE kept.earlier_model IS 'models as they were before their weights changed';
COMMENT ON COLUMN kept.earlier_model.name IS 'name of the model';
COMMENT ON COLUMN kept.earlier_model.fingerprint IS 'fingerprint of weights, configuration and tokenizer';
COMMENT ON COLUMN kept.earlier_model.kind IS 'what it is';
COMMENT ON COLUMN kept.earlier_model.parameters IS 'labels, window and so on';
COMMENT ON COLUMN kept.earlier_model.replaced IS 'when another fingerprint took the name (UTC)';
