-- Decoder inputs as an account of the ledger; relevance by layer, by position within each layer, and by component.
--
-- `explanation` is made again with its new column beside its sisters: a column added to a table cannot be checked. What older versions wrote
-- has nothing of decoder inputs, and keeps its digest.

CREATE TABLE kept.explanation_5 (
    explanation INTEGER NOT NULL,
    fingerprint VARCHAR NOT NULL,
    document INTEGER NOT NULL,
    role VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    tokenizer VARCHAR NOT NULL,
    member_of INTEGER,
    composite VARCHAR NOT NULL,
    target VARCHAR NOT NULL,
    label VARCHAR,
    target_value DOUBLE CHECK (isfinite(target_value)),
    tokens DOUBLE CHECK (isfinite(tokens)),
    token_types DOUBLE CHECK (isfinite(token_types)),
    positions DOUBLE CHECK (isfinite(positions)),
    decoder_inputs DOUBLE CHECK (isfinite(decoder_inputs)),
    biases DOUBLE CHECK (isfinite(biases)),
    softmax DOUBLE CHECK (isfinite(softmax)),
    nonlinear DOUBLE CHECK (isfinite(nonlinear)),
    epsilon DOUBLE CHECK (isfinite(epsilon)),
    gap DOUBLE CHECK (isfinite(gap)),
    precision VARCHAR,
    coverage DOUBLE CHECK (isfinite(coverage)),
    digest UBIGINT NOT NULL,
    batch INTEGER NOT NULL
);

INSERT INTO kept.explanation_5
SELECT explanation, fingerprint, document, role, model, tokenizer, member_of, composite, target, label, target_value, tokens,
       token_types, positions, 0.0, biases, softmax, nonlinear, epsilon, gap, precision, coverage, digest, batch
FROM kept.explanation ORDER BY explanation;

DROP TABLE kept.explanation;
ALTER TABLE kept.explanation_5 RENAME TO explanation;

-- Layers are parts of the ledger and DOUBLE like it; positions and components are many and REAL.
CREATE TABLE kept.layer_relevance (
    explanation INTEGER NOT NULL,
    account VARCHAR NOT NULL,
    layer SMALLINT NOT NULL,
    relevance DOUBLE NOT NULL CHECK (isfinite(relevance))
);

CREATE TABLE kept.position_relevance (
    explanation INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    layer SMALLINT NOT NULL,
    position INTEGER NOT NULL,
    relevance REAL NOT NULL CHECK (isfinite(relevance))
);

CREATE TABLE kept.component_relevance (
    explanation INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    layer SMALLINT NOT NULL,
    token INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    relevance REAL NOT NULL CHECK (isfinite(relevance))
);

CREATE OR REPLACE VIEW main.explanations AS
SELECT * EXCLUDE (digest), abs(gap) / greatest(abs(target_value), 1.0) AS relative_gap FROM kept.explanation;

-- `position_relevance` remains the view by token, over all kinds and layers.
CREATE VIEW main.layer_relevance AS
SELECT r.explanation, e.document, e.role, e.model, e.composite, e.label, r.account, r.layer, r.relevance
FROM kept.layer_relevance r JOIN kept.explanation e ON e.explanation = r.explanation;

CREATE VIEW main.position_layers AS
SELECT r.explanation, e.document, e.role, e.model, e.composite, e.label, r.kind, r.layer, r.position, r.relevance
FROM kept.position_relevance r JOIN kept.explanation e ON e.explanation = r.explanation;

CREATE VIEW main.component_relevance AS
SELECT r.explanation, e.document, e.role, e.model, e.composite, e.label, r.kind, r.layer, r.token, r.unit, r.relevance
FROM kept.component_relevance r JOIN kept.explanation e ON e.explanation = r.explanation;

COMMENT ON TABLE kept.explanation IS 'one target explained for one text by one model: identity and ledger';
COMMENT ON COLUMN kept.explanation.explanation IS 'number of the explanation in this store';
COMMENT ON COLUMN kept.explanation.fingerprint IS 'SHA-256 of text, model, composite, target and reading';
COMMENT ON COLUMN kept.explanation.document IS 'number of the document in this store';
COMMENT ON COLUMN kept.explanation.role IS 'which text of the document: text, text_a, text_b, source, reference, hypothesis';
COMMENT ON COLUMN kept.explanation.model IS 'name of the model';
COMMENT ON COLUMN kept.explanation.tokenizer IS 'name of the tokenizer';
COMMENT ON COLUMN kept.explanation.member_of IS 'explanation of the ensemble that this one belongs to';
COMMENT ON COLUMN kept.explanation.composite IS 'name of the composite';
COMMENT ON COLUMN kept.explanation.target IS 'kind of scalar explained';
COMMENT ON COLUMN kept.explanation.label IS 'class explained';
COMMENT ON COLUMN kept.explanation.target_value IS 'value of the target';
COMMENT ON COLUMN kept.explanation.tokens IS 'account: relevance of tokens';
COMMENT ON COLUMN kept.explanation.token_types IS 'account: relevance of token types';
COMMENT ON COLUMN kept.explanation.positions IS 'account: relevance of positions';
COMMENT ON COLUMN kept.explanation.decoder_inputs IS 'account: relevance of the decoder''s own inputs, 0 for a model without';
COMMENT ON COLUMN kept.explanation.biases IS 'account: held by biases';
COMMENT ON COLUMN kept.explanation.softmax IS 'account: absorbed by the softmax rule';
COMMENT ON COLUMN kept.explanation.nonlinear IS 'account: absorbed by rules of other non-linear operations';
COMMENT ON COLUMN kept.explanation.epsilon IS 'account: absorbed by epsilon';
COMMENT ON COLUMN kept.explanation.gap IS 'target minus all accounts';
COMMENT ON COLUMN kept.explanation.precision IS 'number format of the computation';
COMMENT ON COLUMN kept.explanation.coverage IS 'share of the characters in front of the model''s cut';
COMMENT ON COLUMN kept.explanation.digest IS '64 bits of MD5 over the content';
COMMENT ON COLUMN kept.explanation.batch IS 'batch that brought the row';

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
COMMENT ON COLUMN main.explanations.relative_gap IS '|gap| / max(|target|, 1)';

COMMENT ON TABLE kept.layer_relevance IS 'what each layer holds of an account of the ledger; the layers of an account sum to it';
COMMENT ON COLUMN kept.layer_relevance.explanation IS 'number of the explanation in this store';
COMMENT ON COLUMN kept.layer_relevance.account IS 'account of the ledger: softmax';
COMMENT ON COLUMN kept.layer_relevance.layer IS 'layer, -1 for what happened outside every layer';
COMMENT ON COLUMN kept.layer_relevance.relevance IS 'relevance in units of the target';

COMMENT ON VIEW main.layer_relevance IS 'what each layer holds of an account of the ledger; the layers of an account sum to it';
COMMENT ON COLUMN main.layer_relevance.explanation IS 'number of the explanation in this store';
COMMENT ON COLUMN main.layer_relevance.document IS 'number of the document in this store';
COMMENT ON COLUMN main.layer_relevance.role IS 'which text of the document: text, text_a, text_b, source, reference, hypothesis';
COMMENT ON COLUMN main.layer_relevance.model IS 'name of the model';
COMMENT ON COLUMN main.layer_relevance.composite IS 'name of the composite';
COMMENT ON COLUMN main.layer_relevance.label IS 'class explained';
COMMENT ON COLUMN main.layer_relevance.account IS 'account of the ledger: softmax';
COMMENT ON COLUMN main.layer_relevance.layer IS 'layer, -1 for what happened outside every layer';
COMMENT ON COLUMN main.layer_relevance.relevance IS 'relevance in units of the target';

COMMENT ON TABLE kept.position_relevance IS 'relevance of positional signals by kind, layer and position or distance';
COMMENT ON COLUMN kept.position_relevance.explanation IS 'number of the explanation in this store';
COMMENT ON COLUMN kept.position_relevance.kind IS 'absolute, rotary or relative; decoder_absolute and so on for a decoder''s own positions';
COMMENT ON COLUMN kept.position_relevance.layer IS 'layer, -1 for the embedding';
COMMENT ON COLUMN kept.position_relevance.position IS 'position in the text; for relative the distance, key minus query';
COMMENT ON COLUMN kept.position_relevance.relevance IS 'relevance in units of the target';

COMMENT ON VIEW main.position_layers IS 'relevance of positional signals by kind, layer and position or distance';
COMMENT ON COLUMN main.position_layers.explanation IS 'number of the explanation in this store';
COMMENT ON COLUMN main.position_layers.document IS 'number of the document in this store';
COMMENT ON COLUMN main.position_layers.role IS 'which text of the document: text, text_a, text_b, source, reference, hypothesis';
COMMENT ON COLUMN main.position_layers.model IS 'name of the model';
COMMENT ON COLUMN main.position_layers.composite IS 'name of the composite';
COMMENT ON COLUMN main.position_layers.label IS 'class explained';
COMMENT ON COLUMN main.position_layers.kind IS 'absolute, rotary or relative; decoder_absolute and so on for a decoder''s own positions';
COMMENT ON COLUMN main.position_layers.layer IS 'layer, -1 for the embedding';
COMMENT ON COLUMN main.position_layers.position IS 'position in the text; for relative the distance, key minus query';
COMMENT ON COLUMN main.position_layers.relevance IS 'relevance in units of the target';

COMMENT ON TABLE kept.component_relevance IS 'whole streams at every token, the strongest heads, neurons and features of each layer, and one row for the sum of the others';
COMMENT ON COLUMN kept.component_relevance.explanation IS 'number of the explanation in this store';
COMMENT ON COLUMN kept.component_relevance.kind IS 'residual, attention, mlp (whole streams), heads, neurons or features';
COMMENT ON COLUMN kept.component_relevance.layer IS 'layer';
COMMENT ON COLUMN kept.component_relevance.token IS 'index of the token in its text; -1 in the row of the others';
COMMENT ON COLUMN kept.component_relevance.unit IS 'which head, neuron or feature; 0 for a whole stream; -1 in the row of the others';
COMMENT ON COLUMN kept.component_relevance.relevance IS 'relevance in units of the target';

COMMENT ON VIEW main.component_relevance IS 'whole streams at every token, the strongest heads, neurons and features of each layer, and one row for the sum of the others';
COMMENT ON COLUMN main.component_relevance.explanation IS 'number of the explanation in this store';
COMMENT ON COLUMN main.component_relevance.document IS 'number of the document in this store';
COMMENT ON COLUMN main.component_relevance.role IS 'which text of the document: text, text_a, text_b, source, reference, hypothesis';
COMMENT ON COLUMN main.component_relevance.model IS 'name of the model';
COMMENT ON COLUMN main.component_relevance.composite IS 'name of the composite';
COMMENT ON COLUMN main.component_relevance.label IS 'class explained';
COMMENT ON COLUMN main.component_relevance.kind IS 'residual, attention, mlp (whole streams), heads, neurons or features';
COMMENT ON COLUMN main.component_relevance.layer IS 'layer';
COMMENT ON COLUMN main.component_relevance.token IS 'index of the token in its text; -1 in the row of the others';
COMMENT ON COLUMN main.component_relevance.unit IS 'which head, neuron or feature; 0 for a whole stream; -1 in the row of the others';
COMMENT ON COLUMN main.component_relevance.relevance IS 'relevance in units of the target';
