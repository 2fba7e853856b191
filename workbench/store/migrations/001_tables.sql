-- The tables of a relevance store. People read them through the views of 002; the names of those views are the contract.
--
-- Rows are narrow, sorted by (document, word or token), without keys or indexes: zone maps fetch one document in milliseconds.
-- Relevance is REAL and finite, the ledger of an explanation is DOUBLE. Identity is a fingerprint, never one of these integer numbers.

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

-- One row for each committed batch: what came in, what it changed.
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

-- What later batches took away from earlier ones: additions minus removals must equal the rows that are there.
CREATE TABLE kept.removal (
    batch INTEGER NOT NULL,
    origin INTEGER NOT NULL,
    documents INTEGER NOT NULL,
    document_digest HUGEINT NOT NULL,
    explanations INTEGER NOT NULL,
    explanation_digest HUGEINT NOT NULL
);
