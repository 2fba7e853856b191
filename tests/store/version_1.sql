-- A store as version 1 made it, before views and comments: its schema and the rows of one small document.
CREATE SCHEMA kept;
CREATE TABLE kept.migration (number INTEGER NOT NULL, name VARCHAR NOT NULL, sha256 VARCHAR NOT NULL, applied TIMESTAMP NOT NULL);

CREATE TYPE kept.word_kind AS ENUM ('word', 'special', 'uncovered');

CREATE TABLE kept.store (identity VARCHAR NOT NULL, created TIMESTAMP NOT NULL);

CREATE TABLE kept.corpus (name VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, parameters JSON NOT NULL);
CREATE TABLE kept.model (name VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, kind VARCHAR NOT NULL, parameters JSON NOT NULL);
CREATE TABLE kept.composite (name VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, parameters JSON NOT NULL);

CREATE TABLE kept.run (
    run INTEGER NOT NULL,
    pipeline VARCHAR NOT NULL,
    parameters JSON NOT NULL,
    environment JSON NOT NULL,
    status VARCHAR NOT NULL,
    started TIMESTAMP NOT NULL,
    ended TIMESTAMP,
    counts JSON
);

CREATE TABLE kept.document (
    document INTEGER NOT NULL,
    corpus VARCHAR NOT NULL,
    identifier VARCHAR NOT NULL,
    fingerprint VARCHAR NOT NULL,
    label VARCHAR,
    split VARCHAR,
    language VARCHAR,
    metadata VARCHAR,
    digest UBIGINT NOT NULL,
    batch INTEGER NOT NULL
);

CREATE TABLE kept.segment (document INTEGER NOT NULL, role VARCHAR NOT NULL, text VARCHAR NOT NULL);

CREATE TABLE kept.word (
    document INTEGER NOT NULL,
    role VARCHAR NOT NULL,
    annotator VARCHAR NOT NULL,
    word INTEGER NOT NULL,
    char_start INTEGER NOT NULL,
    char_end INTEGER NOT NULL,
    form VARCHAR NOT NULL,
    lemma VARCHAR,
    upos VARCHAR,
    xpos VARCHAR,
    features VARCHAR,
    head INTEGER,
    relation VARCHAR,
    entity VARCHAR,
    sentence INTEGER
);

CREATE TABLE kept.token (
    document INTEGER NOT NULL,
    role VARCHAR NOT NULL,
    tokenizer VARCHAR NOT NULL,
    token INTEGER NOT NULL,
    char_start INTEGER NOT NULL,
    char_end INTEGER NOT NULL,
    piece VARCHAR NOT NULL,
    special BOOLEAN NOT NULL
);

CREATE TABLE kept.prediction (
    document INTEGER NOT NULL,
    role VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    label VARCHAR NOT NULL,
    logit DOUBLE CHECK (isfinite(logit)),
    probability DOUBLE CHECK (isfinite(probability)),
    votes INTEGER
);

CREATE TABLE kept.explanation (
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

CREATE TABLE kept.token_relevance (
    explanation INTEGER NOT NULL,
    token INTEGER NOT NULL,
    relevance REAL NOT NULL CHECK (isfinite(relevance)),
    position REAL CHECK (isfinite(position)),
    sensitivity REAL CHECK (isfinite(sensitivity))
);

CREATE TABLE kept.word_relevance (
    explanation INTEGER NOT NULL,
    document INTEGER NOT NULL,
    role VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    composite VARCHAR NOT NULL,
    label VARCHAR,
    kind kept.word_kind NOT NULL,
    word INTEGER,
    form VARCHAR,
    lemma VARCHAR,
    upos VARCHAR,
    relation VARCHAR,
    sentence INTEGER,
    relevance REAL NOT NULL CHECK (isfinite(relevance)),
    sensitivity REAL CHECK (isfinite(sensitivity))
);

CREATE TABLE kept.score (
    document INTEGER NOT NULL,
    role VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    method VARCHAR NOT NULL,
    ordering VARCHAR NOT NULL,
    metric VARCHAR NOT NULL,
    value DOUBLE NOT NULL CHECK (isfinite(value))
);

CREATE TABLE kept.failure (
    corpus VARCHAR NOT NULL,
    identifier VARCHAR NOT NULL,
    fingerprint VARCHAR NOT NULL,
    stage VARCHAR NOT NULL,
    error VARCHAR NOT NULL,
    retryable BOOLEAN NOT NULL
);

CREATE TABLE kept.ledger (
    batch INTEGER NOT NULL,
    run INTEGER NOT NULL,
    action VARCHAR NOT NULL,
    committed TIMESTAMP NOT NULL,
    input_hash VARCHAR NOT NULL,
    content_hash VARCHAR NOT NULL,
    rows JSON NOT NULL,
    documents INTEGER NOT NULL,
    document_digest HUGEINT NOT NULL,
    explanations INTEGER NOT NULL,
    explanation_digest HUGEINT NOT NULL,
    relevance DOUBLE NOT NULL CHECK (isfinite(relevance))
);

CREATE TABLE kept.removal (
    batch INTEGER NOT NULL,
    origin INTEGER NOT NULL,
    documents INTEGER NOT NULL,
    document_digest HUGEINT NOT NULL,
    explanations INTEGER NOT NULL,
    explanation_digest HUGEINT NOT NULL
);

INSERT INTO kept.migration VALUES (1, 'tables', 'e6e8a1b5d7327cb2c48c432f201151b5fe0cc59e669f1d05c4899a90a21266d5', TIMESTAMP '2026-11-23 20:00:00');
INSERT INTO kept.store VALUES ('0123456789abcdef0123456789abcdef', TIMESTAMP '2026-11-23 20:00:00');
INSERT INTO kept.document VALUES (1, 'posts', 'old', 'not-a-hash', 'political', 'test', 'bn', '{}', 1, 1);
INSERT INTO kept.segment VALUES (1, 'text', 'দল ভোট');
INSERT INTO kept.word VALUES (1, 'text', 'blank', 0, 0, 2, 'দল', 'দল', 'NOUN', NULL, NULL, NULL, NULL, NULL, 0);
INSERT INTO kept.word VALUES (1, 'text', 'blank', 1, 3, 6, 'ভোট', 'ভোট', 'NOUN', NULL, NULL, NULL, NULL, NULL, 0);
INSERT INTO kept.token VALUES (1, 'text', 'first', 0, 0, 0, '[S]', true), (1, 'text', 'first', 1, 0, 2, 'দল', false), (1, 'text', 'first', 2, 3, 6, 'ভোট', false);
INSERT INTO kept.explanation VALUES (1, 'old-explanation', 1, 'text', 'first', 'first', NULL, 'attnlrp.v1', 'logit', 'political', 1.5, 0.75, 0.125, 0.25, 0.25, 0.0625, 0.0625, 0.0, 0.0, 'float32', 1.0, 13456795098188284677, 1);
INSERT INTO kept.token_relevance VALUES (1, 0, 0.1, 0.05, 0.01), (1, 1, 0.4, NULL, 0.16), (1, 2, 0.25, 0.2, NULL);
INSERT INTO kept.word_relevance VALUES (1, 1, 'text', 'first', 'attnlrp.v1', 'political', 'special', NULL, NULL, NULL, NULL, NULL, NULL, 0.1, 0.01);
INSERT INTO kept.word_relevance VALUES (1, 1, 'text', 'first', 'attnlrp.v1', 'political', 'word', 0, 'দল', 'দল', 'NOUN', NULL, 0, 0.4, 0.16);
INSERT INTO kept.word_relevance VALUES (1, 1, 'text', 'first', 'attnlrp.v1', 'political', 'word', 1, 'ভোট', 'ভোট', 'NOUN', NULL, 0, 0.25, NULL);
