-- What people read, and the one place where relevance meets words.

-- A token's relevance is shared among the words it overlaps in proportion to overlapping characters; special tokens go to one row of kind
-- 'special', tokens that touch no word to one of kind 'uncovered'. Nothing is added or lost: the words of an explanation sum to its tokens.
-- An explanation with members is the mean of its members, word by word (a word that a member does not see counts zero for it).
CREATE MACRO kept.word_relevance_between(first_document, last_document) AS TABLE
WITH overlap AS MATERIALIZED (
    SELECT t.document, t.role, t.tokenizer, t.token, w.word,
           least(t.char_end, w.char_end) - greatest(t.char_start, w.char_start) AS characters
    FROM kept.token t
    JOIN kept.word w ON w.document = t.document AND w.role = t.role AND w.char_start < t.char_end AND t.char_start < w.char_end
    WHERE NOT t.special AND t.document BETWEEN first_document AND last_document AND w.document BETWEEN first_document AND last_document
      AND t.char_start < t.char_end AND w.char_start < w.char_end
), share AS (
    SELECT document, role, tokenizer, token, 'word' AS kind, word,
           characters / sum(characters) OVER (PARTITION BY document, role, tokenizer, token) AS share
    FROM overlap
    UNION ALL
    SELECT t.document, t.role, t.tokenizer, t.token, CASE WHEN t.special THEN 'special' ELSE 'uncovered' END, NULL, 1.0
    FROM kept.token t ANTI JOIN overlap o
      ON o.document = t.document AND o.role = t.role AND o.tokenizer = t.tokenizer AND o.token = t.token
    WHERE t.document BETWEEN first_document AND last_document
), explained AS MATERIALIZED (
    SELECT * FROM kept.explanation WHERE document BETWEEN first_document AND last_document
), single AS (
    SELECT e.explanation, e.member_of, s.kind, s.word,
           sum(r.relevance::DOUBLE * s.share) AS relevance, sum(r.sensitivity::DOUBLE * s.share) AS sensitivity
    FROM explained e
    JOIN kept.token_relevance r ON r.explanation = e.explanation
    JOIN share s ON s.document = e.document AND s.role = e.role AND s.tokenizer = e.tokenizer AND s.token = r.token
    GROUP BY ALL
), members AS (
    SELECT member_of, count(*) AS members FROM explained WHERE member_of IS NOT NULL GROUP BY ALL
), either AS (
    SELECT explanation, kind, word, relevance, sensitivity FROM single
    UNION ALL
    SELECT s.member_of, s.kind, s.word, sum(s.relevance) / any_value(m.members), sum(s.sensitivity) / any_value(m.members)
    FROM single s JOIN members m ON m.member_of = s.member_of
    GROUP BY s.member_of, s.kind, s.word
)
SELECT e.explanation, e.document, e.role, e.model, e.composite, e.label, x.kind::kept.word_kind AS kind, x.word,
       w.form, w.lemma, w.upos, w.relation, w.sentence, x.relevance::REAL AS relevance, x.sensitivity::REAL AS sensitivity
FROM either x
JOIN explained e ON e.explanation = x.explanation
LEFT JOIN (SELECT * FROM kept.word WHERE document BETWEEN first_document AND last_document) w
  ON w.document = e.document AND w.role = e.role AND w.word = x.word;

CREATE VIEW main.corpora AS SELECT * FROM kept.corpus;
CREATE VIEW main.models AS SELECT * FROM kept.model;
CREATE VIEW main.composites AS SELECT * FROM kept.composite;
CREATE VIEW main.runs AS SELECT * FROM kept.run;
CREATE VIEW main.batches AS
SELECT batch, run, action, committed, input_hash, content_hash, rows, documents, explanations, relevance FROM kept.ledger;

CREATE VIEW main.documents AS
SELECT d.document, d.corpus, d.identifier, d.fingerprint, d.label, d.split, d.language, d.metadata, s.text, d.batch
FROM kept.document d LEFT JOIN kept.segment s ON s.document = d.document AND s.role = 'text';

CREATE VIEW main.segments AS SELECT * FROM kept.segment;
CREATE VIEW main.words AS SELECT * FROM kept.word;
CREATE VIEW main.tokens AS SELECT * FROM kept.token;
CREATE VIEW main.predictions AS SELECT * FROM kept.prediction;
CREATE VIEW main.word_relevance AS SELECT * FROM kept.word_relevance;
CREATE VIEW main.faithfulness AS SELECT * FROM kept.score WHERE method <> 'tokenizer';
-- What a model's tokenizer dropped from a document, by kind.
CREATE VIEW main.tokenizer_losses AS SELECT document, role, model, metric AS kind, value AS lost FROM kept.score WHERE method = 'tokenizer';
CREATE VIEW main.failures AS SELECT * FROM kept.failure;

CREATE VIEW main.explanations AS
SELECT * EXCLUDE (digest), abs(gap) / greatest(abs(target_value), 1.0) AS relative_gap FROM kept.explanation;

CREATE VIEW main.token_relevance AS
SELECT r.explanation, e.document, e.role, e.model, e.composite, e.label, r.token, t.piece, t.char_start, t.char_end, t.special,
       r.relevance, r.sensitivity
FROM kept.token_relevance r
JOIN kept.explanation e ON e.explanation = r.explanation
JOIN kept.token t ON t.document = e.document AND t.role = e.role AND t.tokenizer = e.tokenizer AND t.token = r.token;

CREATE VIEW main.position_relevance AS
SELECT r.explanation, e.document, e.role, e.model, e.composite, e.label, r.token, r.position AS relevance
FROM kept.token_relevance r JOIN kept.explanation e ON e.explanation = r.explanation
WHERE r.position IS NOT NULL;
