-- Contributions to every generated token of a translation, and texts that a model made.
--
-- The role of a text that a model made names the model: hypothesis:translation-fr-en. Such texts are no part of their document's identity;
-- a model that says something else replaces its text with all that hangs on it.

-- In the order of their letters, which digests rely on.
CREATE TYPE kept.side AS ENUM ('prefix', 'source');

CREATE TABLE kept.step (
    explanation INTEGER NOT NULL,
    step INTEGER NOT NULL,
    likeliest VARCHAR,
    target_value REAL NOT NULL CHECK (isfinite(target_value)),
    log_probability REAL NOT NULL CHECK (isfinite(log_probability)),
    source REAL NOT NULL CHECK (isfinite(source)),
    prefix REAL NOT NULL CHECK (isfinite(prefix)),
    beginning REAL NOT NULL CHECK (isfinite(beginning)),
    positions REAL NOT NULL CHECK (isfinite(positions)),
    biases REAL NOT NULL CHECK (isfinite(biases)),
    softmax REAL NOT NULL CHECK (isfinite(softmax)),
    nonlinear REAL NOT NULL CHECK (isfinite(nonlinear)),
    gap REAL NOT NULL CHECK (isfinite(gap)),
    source_size REAL NOT NULL CHECK (isfinite(source_size)),
    prefix_size REAL NOT NULL CHECK (isfinite(prefix_size)),
    source_entropy REAL CHECK (isfinite(source_entropy)),
    prefix_entropy REAL CHECK (isfinite(prefix_entropy))
);

CREATE TABLE kept.contribution (
    explanation INTEGER NOT NULL,
    step INTEGER NOT NULL,
    side kept.side NOT NULL,
    token INTEGER NOT NULL,
    relevance REAL NOT NULL CHECK (isfinite(relevance))
);

-- Which part of each token belongs to which word, as in kept.word_relevance_between: shares of a token sum to one.
CREATE VIEW kept.token_share AS
WITH overlap AS (
    SELECT t.document, t.role, t.tokenizer, t.token, w.word,
           least(t.char_end, w.char_end) - greatest(t.char_start, w.char_start) AS characters
    FROM kept.token t
    JOIN kept.word w ON w.document = t.document AND w.role = t.role AND w.char_start < t.char_end AND t.char_start < w.char_end
    WHERE NOT t.special AND t.char_start < t.char_end AND w.char_start < w.char_end
)
SELECT document, role, tokenizer, token, 'word'::kept.word_kind AS kind, word,
       characters / sum(characters) OVER (PARTITION BY document, role, tokenizer, token) AS share
FROM overlap
UNION ALL
SELECT t.document, t.role, t.tokenizer, t.token, CASE WHEN t.special THEN 'special' ELSE 'uncovered' END::kept.word_kind, NULL, 1.0
FROM kept.token t ANTI JOIN overlap o ON o.document = t.document AND o.role = t.role AND o.tokenizer = t.tokenizer AND o.token = t.token;

CREATE VIEW main.translations AS
SELECT e.explanation, d.document, d.corpus, d.identifier, d.label, d.split, e.model, e.composite, e.target, e.role,
       coalesce(d.metadata -> 'languages' ->> 'source', d.language) AS source_language,
       coalesce(d.metadata -> 'languages' ->> 'reference', d.language) AS target_language,
       s.text AS source_text, t.text, r.text AS reference_text, n.steps,
       e.target_value, e.tokens AS prefix, n.source, n.beginning, e.positions, e.biases, e.softmax, e.nonlinear, e.gap,
       n.source_share, n.log_probability
FROM (
    SELECT explanation, count(*) AS steps, sum(source::DOUBLE) AS source, sum(beginning::DOUBLE) AS beginning,
           avg(source_size / nullif(source_size + prefix_size, 0)) FILTER (step > 0) AS source_share, avg(log_probability) AS log_probability
    FROM kept.step GROUP BY explanation
) n
JOIN kept.explanation e ON e.explanation = n.explanation
JOIN kept.document d ON d.document = e.document
LEFT JOIN kept.segment s ON s.document = d.document AND s.role = 'source'
LEFT JOIN kept.segment t ON t.document = d.document AND t.role = e.role
LEFT JOIN kept.segment r ON r.document = d.document AND r.role = 'reference';

CREATE VIEW main.steps AS
WITH heaviest AS (
    SELECT document, role, tokenizer, token, arg_max(word, share) AS word FROM kept.token_share WHERE word IS NOT NULL GROUP BY ALL
)
SELECT s.explanation, e.document, e.role, e.model, e.composite, e.target, s.step, t.piece, t.special, t.char_start, t.char_end, w.word, w.form,
       w.lemma, w.upos, w.relation, s.likeliest, s.target_value, s.log_probability, s.source, s.prefix, s.beginning, s.positions, s.biases,
       s.softmax, s.nonlinear, s.gap, s.source_size, s.prefix_size, s.source_size / nullif(s.source_size + s.prefix_size, 0) AS source_share,
       s.source_entropy, s.prefix_entropy, count(*) OVER (PARTITION BY s.explanation) AS steps
FROM kept.step s
JOIN kept.explanation e ON e.explanation = s.explanation
JOIN kept.token t ON t.document = e.document AND t.role = e.role AND t.tokenizer = e.tokenizer AND t.token = s.step
LEFT JOIN heaviest h ON h.document = e.document AND h.role = e.role AND h.tokenizer = e.tokenizer AND h.token = s.step
LEFT JOIN kept.word w ON w.document = e.document AND w.role = e.role AND w.word = h.word;

CREATE VIEW main.contributions AS
SELECT c.explanation, e.document, e.role, e.model, e.composite, e.target, c.step, g.piece AS step_piece, c.side, c.token, t.piece, t.special,
       c.relevance
FROM kept.contribution c
JOIN kept.explanation e ON e.explanation = c.explanation
JOIN kept.token g ON g.document = e.document AND g.role = e.role AND g.tokenizer = e.tokenizer AND g.token = c.step
JOIN kept.token t ON t.document = e.document AND t.role = CASE c.side WHEN 'source' THEN 'source' ELSE e.role END
     AND t.tokenizer = e.tokenizer AND t.token = c.token;

CREATE VIEW main.word_contributions AS
SELECT c.explanation, e.document, e.role, e.model, e.composite, e.target, g.kind AS generated, g.word, gw.form, gw.lemma, gw.upos,
       c.side, o.kind, o.word AS other_word, ow.form AS other_form, ow.lemma AS other_lemma, ow.upos AS other_upos,
       sum(c.relevance::DOUBLE * g.share * o.share)::REAL AS relevance
FROM kept.contribution c
JOIN kept.explanation e ON e.explanation = c.explanation
JOIN kept.token_share g ON g.document = e.document AND g.role = e.role AND g.tokenizer = e.tokenizer AND g.token = c.step
JOIN kept.token_share o ON o.document = e.document AND o.role = CASE c.side WHEN 'source' THEN 'source' ELSE e.role END
     AND o.tokenizer = e.tokenizer AND o.token = c.token
LEFT JOIN kept.word gw ON gw.document = e.document AND gw.role = e.role AND gw.word = g.word
LEFT JOIN kept.word ow ON ow.document = e.document AND ow.role = CASE c.side WHEN 'source' THEN 'source' ELSE e.role END AND ow.word = o.word
GROUP BY ALL;

-- How good a translation is, and how well it was explained; neither is faithfulness.
CREATE VIEW main.qualities AS SELECT document, role, model, metric, value FROM kept.score WHERE method = 'quality';
CREATE OR REPLACE VIEW main.faithfulness AS SELECT * FROM kept.score WHERE method NOT IN ('tokenizer', 'factors', 'quality');

COMMENT ON TABLE kept.step IS 'every generated token of an explained translation: what it took from where';
COMMENT ON COLUMN kept.step.explanation IS 'number of the explanation in this store';
COMMENT ON COLUMN kept.step.step IS 'which token of the target text was generated, from 0';
COMMENT ON COLUMN kept.step.likeliest IS 'the token that the model itself finds likeliest here, NULL where it is the given one';
COMMENT ON COLUMN kept.step.target_value IS 'value of the scalar that is explained';
COMMENT ON COLUMN kept.step.log_probability IS 'natural logarithm of the given token''s probability';
COMMENT ON COLUMN kept.step.source IS 'sum of the contributions of source tokens';
COMMENT ON COLUMN kept.step.prefix IS 'sum of the contributions of earlier target tokens';
COMMENT ON COLUMN kept.step.beginning IS 'contribution of the start of the target and of forced tokens';
COMMENT ON COLUMN kept.step.positions IS 'held by positions';
COMMENT ON COLUMN kept.step.biases IS 'held by biases';
COMMENT ON COLUMN kept.step.softmax IS 'absorbed by the softmax rule';
COMMENT ON COLUMN kept.step.nonlinear IS 'absorbed by rules of other non-linear operations, or not conserved by the method';
COMMENT ON COLUMN kept.step.gap IS 'target minus all of these';
COMMENT ON COLUMN kept.step.source_size IS 'sum of the sizes |contribution| of source tokens';
COMMENT ON COLUMN kept.step.prefix_size IS 'sum of the sizes |contribution| of earlier target tokens';
COMMENT ON COLUMN kept.step.source_entropy IS 'entropy of the sizes of source contributions as shares, in nats; NULL without any';
COMMENT ON COLUMN kept.step.prefix_entropy IS 'the same of the prefix';

COMMENT ON TABLE kept.contribution IS 'what every generated token took from each token of the source and of the prefix';
COMMENT ON COLUMN kept.contribution.explanation IS 'number of the explanation in this store';
COMMENT ON COLUMN kept.contribution.step IS 'which token of the target text was generated, from 0';
COMMENT ON COLUMN kept.contribution.side IS 'source or prefix';
COMMENT ON COLUMN kept.contribution.token IS 'index of the token in the source, or in the target text';
COMMENT ON COLUMN kept.contribution.relevance IS 'what the step took from the token, in units of the target';

COMMENT ON VIEW kept.token_share IS 'which part of each token belongs to which word; shares of a token sum to one';
COMMENT ON COLUMN kept.token_share.document IS 'number of the document in this store';
COMMENT ON COLUMN kept.token_share.role IS 'which text of the document';
COMMENT ON COLUMN kept.token_share.tokenizer IS 'name of the tokenizer';
COMMENT ON COLUMN kept.token_share.token IS 'index of the token';
COMMENT ON COLUMN kept.token_share.kind IS 'word, special or uncovered';
COMMENT ON COLUMN kept.token_share.word IS 'index of the word, NULL for what is no word';
COMMENT ON COLUMN kept.token_share.share IS 'share of the token, by characters';

COMMENT ON VIEW main.translations IS 'translations that were explained, with their texts and what of the target each account holds';
COMMENT ON COLUMN main.translations.explanation IS 'number of the explanation in this store';
COMMENT ON COLUMN main.translations.document IS 'number of the document in this store';
COMMENT ON COLUMN main.translations.corpus IS 'name of the corpus';
COMMENT ON COLUMN main.translations.identifier IS 'identifier in the corpus';
COMMENT ON COLUMN main.translations.label IS 'label of the document';
COMMENT ON COLUMN main.translations.split IS 'published split';
COMMENT ON COLUMN main.translations.model IS 'name of the model';
COMMENT ON COLUMN main.translations.composite IS 'name of the composite or method';
COMMENT ON COLUMN main.translations.target IS 'kind of scalar explained';
COMMENT ON COLUMN main.translations.role IS 'role of the explained text: hypothesis:MODEL or reference';
COMMENT ON COLUMN main.translations.source_language IS 'language of the source';
COMMENT ON COLUMN main.translations.target_language IS 'language of the translation';
COMMENT ON COLUMN main.translations.source_text IS 'what was translated';
COMMENT ON COLUMN main.translations.text IS 'the translation that was explained';
COMMENT ON COLUMN main.translations.reference_text IS 'a person''s translation';
COMMENT ON COLUMN main.translations.steps IS 'number of generated tokens';
COMMENT ON COLUMN main.translations.target_value IS 'sum over the steps of the explained scalar';
COMMENT ON COLUMN main.translations.prefix IS 'sum of the contributions of earlier target tokens';
COMMENT ON COLUMN main.translations.source IS 'sum of the contributions of source tokens';
COMMENT ON COLUMN main.translations.beginning IS 'contribution of the start of the target';
COMMENT ON COLUMN main.translations.positions IS 'held by positions';
COMMENT ON COLUMN main.translations.biases IS 'held by biases';
COMMENT ON COLUMN main.translations.softmax IS 'absorbed by the softmax rule';
COMMENT ON COLUMN main.translations.nonlinear IS 'absorbed by rules of other non-linear operations';
COMMENT ON COLUMN main.translations.gap IS 'target minus all accounts';
COMMENT ON COLUMN main.translations.source_share IS 'mean over the steps after the first of the source''s share of the sizes of contributions';
COMMENT ON COLUMN main.translations.log_probability IS 'mean over the steps of the token''s log-probability';

COMMENT ON VIEW main.steps IS 'every generated token of an explained translation with its word: what it took from where';
COMMENT ON COLUMN main.steps.explanation IS 'number of the explanation in this store';
COMMENT ON COLUMN main.steps.document IS 'number of the document in this store';
COMMENT ON COLUMN main.steps.role IS 'role of the text whose tokens were generated: hypothesis:MODEL or reference';
COMMENT ON COLUMN main.steps.model IS 'name of the model';
COMMENT ON COLUMN main.steps.composite IS 'name of the composite or method';
COMMENT ON COLUMN main.steps.target IS 'kind of scalar explained';
COMMENT ON COLUMN main.steps.step IS 'which token of the target text was generated, from 0';
COMMENT ON COLUMN main.steps.piece IS 'the token as the tokenizer writes it';
COMMENT ON COLUMN main.steps.special IS 'whether it is a special token';
COMMENT ON COLUMN main.steps.char_start IS 'first character in the text';
COMMENT ON COLUMN main.steps.char_end IS 'character behind the last';
COMMENT ON COLUMN main.steps.word IS 'index of the word that the token overlaps most, NULL for none';
COMMENT ON COLUMN main.steps.form IS 'the word as written';
COMMENT ON COLUMN main.steps.lemma IS 'its dictionary form';
COMMENT ON COLUMN main.steps.upos IS 'its universal part of speech';
COMMENT ON COLUMN main.steps.relation IS 'its dependency relation';
COMMENT ON COLUMN main.steps.likeliest IS 'the token that the model itself finds likeliest here, NULL where it is the given one';
COMMENT ON COLUMN main.steps.target_value IS 'value of the scalar that is explained';
COMMENT ON COLUMN main.steps.log_probability IS 'natural logarithm of the given token''s probability';
COMMENT ON COLUMN main.steps.source IS 'sum of the contributions of source tokens';
COMMENT ON COLUMN main.steps.prefix IS 'sum of the contributions of earlier target tokens';
COMMENT ON COLUMN main.steps.beginning IS 'contribution of the start of the target and of forced tokens';
COMMENT ON COLUMN main.steps.positions IS 'held by positions';
COMMENT ON COLUMN main.steps.biases IS 'held by biases';
COMMENT ON COLUMN main.steps.softmax IS 'absorbed by the softmax rule';
COMMENT ON COLUMN main.steps.nonlinear IS 'absorbed by rules of other non-linear operations, or not conserved by the method';
COMMENT ON COLUMN main.steps.gap IS 'target minus all of these';
COMMENT ON COLUMN main.steps.source_size IS 'sum of the sizes |contribution| of source tokens';
COMMENT ON COLUMN main.steps.prefix_size IS 'sum of the sizes |contribution| of earlier target tokens';
COMMENT ON COLUMN main.steps.source_share IS 'source_size as a share of source_size + prefix_size';
COMMENT ON COLUMN main.steps.source_entropy IS 'entropy of the sizes of source contributions as shares, in nats; NULL without any';
COMMENT ON COLUMN main.steps.prefix_entropy IS 'the same of the prefix';
COMMENT ON COLUMN main.steps.steps IS 'number of steps of the translation';

COMMENT ON VIEW main.contributions IS 'what every generated token took from each token of the source and of the prefix';
COMMENT ON COLUMN main.contributions.explanation IS 'number of the explanation in this store';
COMMENT ON COLUMN main.contributions.document IS 'number of the document in this store';
COMMENT ON COLUMN main.contributions.role IS 'role of the text whose tokens were generated: hypothesis:MODEL or reference';
COMMENT ON COLUMN main.contributions.model IS 'name of the model';
COMMENT ON COLUMN main.contributions.composite IS 'name of the composite or method';
COMMENT ON COLUMN main.contributions.target IS 'kind of scalar explained';
COMMENT ON COLUMN main.contributions.step IS 'which token of the target text was generated, from 0';
COMMENT ON COLUMN main.contributions.step_piece IS 'the generated token';
COMMENT ON COLUMN main.contributions.side IS 'source or prefix';
COMMENT ON COLUMN main.contributions.token IS 'index of the token in the source, or in the target text';
COMMENT ON COLUMN main.contributions.piece IS 'that token';
COMMENT ON COLUMN main.contributions.special IS 'whether that token is special';
COMMENT ON COLUMN main.contributions.relevance IS 'what the step took from the token, in units of the target';

COMMENT ON VIEW main.word_contributions IS 'what every generated word took from each word of the source and of the prefix; sums are those of the tokens';
COMMENT ON COLUMN main.word_contributions.explanation IS 'number of the explanation in this store';
COMMENT ON COLUMN main.word_contributions.document IS 'number of the document in this store';
COMMENT ON COLUMN main.word_contributions.role IS 'role of the text whose tokens were generated: hypothesis:MODEL or reference';
COMMENT ON COLUMN main.word_contributions.model IS 'name of the model';
COMMENT ON COLUMN main.word_contributions.composite IS 'name of the composite or method';
COMMENT ON COLUMN main.word_contributions.target IS 'kind of scalar explained';
COMMENT ON COLUMN main.word_contributions.generated IS 'word, special or uncovered: what was generated';
COMMENT ON COLUMN main.word_contributions.word IS 'index of the generated word, NULL for what is no word';
COMMENT ON COLUMN main.word_contributions.form IS 'the generated word as written';
COMMENT ON COLUMN main.word_contributions.lemma IS 'its dictionary form';
COMMENT ON COLUMN main.word_contributions.upos IS 'its universal part of speech';
COMMENT ON COLUMN main.word_contributions.side IS 'source or prefix';
COMMENT ON COLUMN main.word_contributions.kind IS 'word, special or uncovered: what contributed';
COMMENT ON COLUMN main.word_contributions.other_word IS 'index of the contributing word, NULL for what is no word';
COMMENT ON COLUMN main.word_contributions.other_form IS 'the contributing word as written';
COMMENT ON COLUMN main.word_contributions.other_lemma IS 'its dictionary form';
COMMENT ON COLUMN main.word_contributions.other_upos IS 'its universal part of speech';
COMMENT ON COLUMN main.word_contributions.relevance IS 'what the generated word took from it, in units of the target';

COMMENT ON VIEW main.qualities IS 'how good translations are, and how they were explained';
COMMENT ON COLUMN main.qualities.document IS 'number of the document in this store';
COMMENT ON COLUMN main.qualities.role IS 'role of the text that is judged';
COMMENT ON COLUMN main.qualities.model IS 'name of the model';
COMMENT ON COLUMN main.qualities.metric IS 'chrf and bleu (0 to 100, by sentence), log_probability (mean by token), similarity_to_source and similarity_to_reference (cosine), logit_difference (largest, rules against plain model), retokenised (1 where the text is not the tokens that were generated)';
COMMENT ON COLUMN main.qualities.value IS 'the number';

COMMENT ON VIEW main.faithfulness IS 'evaluation scores of methods';
COMMENT ON COLUMN main.faithfulness.document IS 'number of the document in this store';
COMMENT ON COLUMN main.faithfulness.role IS 'which text of the document: text, text_a, text_b, source, reference, hypothesis';
COMMENT ON COLUMN main.faithfulness.model IS 'name of the model';
COMMENT ON COLUMN main.faithfulness.method IS 'method whose order was tested';
COMMENT ON COLUMN main.faithfulness.ordering IS 'signed or absolute relevance';
COMMENT ON COLUMN main.faithfulness.metric IS 'name of the score';
COMMENT ON COLUMN main.faithfulness.value IS 'the score';
