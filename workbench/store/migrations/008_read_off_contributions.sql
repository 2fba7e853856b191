-- What is read off the contributions: measures of every step, and which source word belongs to which generated word.

CREATE VIEW main.step_measures AS
SELECT s.explanation, s.step, n.steps, n.source_tokens,
       CASE WHEN s.step > 0 THEN s.source_size / nullif(s.source_size + s.prefix_size, 0) END::DOUBLE AS source_share,
       s.source_entropy::DOUBLE AS source_entropy,
       s.prefix_entropy::DOUBLE AS prefix_entropy,
       (s.source_entropy / CASE WHEN n.source_tokens > 1 THEN ln(n.source_tokens) END)::DOUBLE AS normalized_source_entropy,
       (s.prefix_entropy / CASE WHEN s.step > 1 THEN ln(s.step) END)::DOUBLE AS normalized_prefix_entropy,
       (abs(s.beginning) / nullif(s.source_size + s.prefix_size + abs(s.beginning), 0))::DOUBLE AS beginning_share,
       s.log_probability::DOUBLE AS log_probability
FROM kept.step s
JOIN (
    SELECT e.explanation, any_value(l.steps) AS steps, count(*) AS source_tokens
    FROM (SELECT explanation, count(*) AS steps FROM kept.step GROUP BY explanation) l
    JOIN kept.explanation e ON e.explanation = l.explanation
    JOIN kept.token t ON t.document = e.document AND t.role = 'source' AND t.tokenizer = e.tokenizer
    GROUP BY e.explanation
) n ON n.explanation = s.explanation;

CREATE VIEW main.alignments AS
WITH sourced AS (
    SELECT c.explanation, c.step, o.word AS source_word, sum(abs(c.relevance::DOUBLE) / s.source_size * o.share) AS score
    FROM kept.contribution c
    JOIN kept.step s ON s.explanation = c.explanation AND s.step = c.step AND s.source_size > 0
    JOIN kept.explanation e ON e.explanation = c.explanation
    JOIN kept.token_share o ON o.document = e.document AND o.role = 'source' AND o.tokenizer = e.tokenizer AND o.token = c.token
    WHERE c.side = 'source' AND o.word IS NOT NULL
    GROUP BY ALL
), mean AS (
    SELECT r.explanation, r.source_word, sum(r.score) / any_value(n.steps) AS mean
    FROM sourced r JOIN (SELECT explanation, count(*) AS steps FROM kept.step GROUP BY explanation) n ON n.explanation = r.explanation
    GROUP BY ALL
), generated AS (
    SELECT e.explanation, g.word, g.token AS step, g.share / sum(g.share) OVER (PARTITION BY e.explanation, g.word) AS weight
    FROM kept.explanation e
    SEMI JOIN kept.step s ON s.explanation = e.explanation
    JOIN kept.token_share g ON g.document = e.document AND g.role = e.role AND g.tokenizer = e.tokenizer
    WHERE g.word IS NOT NULL
), cell AS (
    SELECT g.explanation, v.convention, g.word, r.source_word, sum(g.weight * r.score) AS score, sum(g.weight) AS weight
    FROM generated g
    CROSS JOIN (VALUES ('predicted', 0), ('input', 1)) v(convention, later)
    JOIN sourced r ON r.explanation = g.explanation AND r.step = g.step + v.later
    GROUP BY ALL
), read AS (
    SELECT explanation, convention, false AS corrected, word, source_word, score FROM cell
    UNION ALL
    SELECT c.explanation, c.convention, true, c.word, c.source_word, c.score - m.mean * c.weight
    FROM cell c JOIN mean m ON m.explanation = c.explanation AND m.source_word = c.source_word
), best AS (
    SELECT * FROM read
    QUALIFY row_number() OVER (PARTITION BY explanation, convention, corrected, word ORDER BY score DESC, source_word) = 1
        AND max(abs(score)) OVER (PARTITION BY explanation, convention, corrected, word) > 0
)
SELECT b.explanation, e.document, e.role, e.model, e.composite, e.target, b.convention, b.corrected, b.word, w.form, w.lemma, w.upos,
       b.source_word, o.form AS source_form, o.lemma AS source_lemma, o.upos AS source_upos, b.score
FROM best b
JOIN kept.explanation e ON e.explanation = b.explanation
JOIN kept.word w ON w.document = e.document AND w.role = e.role AND w.word = b.word
JOIN kept.word o ON o.document = e.document AND o.role = 'source' AND o.word = b.source_word;

COMMENT ON VIEW main.step_measures IS 'what the curves and groups of contributions are made of: one row for every generated token';
COMMENT ON COLUMN main.step_measures.explanation IS 'number of the explanation in this store';
COMMENT ON COLUMN main.step_measures.step IS 'which token of the target text was generated, from 0';
COMMENT ON COLUMN main.step_measures.steps IS 'number of steps of the translation';
COMMENT ON COLUMN main.step_measures.source_tokens IS 'number of tokens of the source, special ones included';
COMMENT ON COLUMN main.step_measures.source_share IS 'size of source contributions over that of source and prefix; NULL at the first step, which has no prefix';
COMMENT ON COLUMN main.step_measures.source_entropy IS 'entropy of the sizes of source contributions as shares, in nats';
COMMENT ON COLUMN main.step_measures.prefix_entropy IS 'the same of the prefix';
COMMENT ON COLUMN main.step_measures.normalized_source_entropy IS 'source_entropy over the logarithm of source_tokens: 1 is uniform';
COMMENT ON COLUMN main.step_measures.normalized_prefix_entropy IS 'prefix_entropy over the logarithm of the number of earlier tokens, where there are two';
COMMENT ON COLUMN main.step_measures.beginning_share IS 'size of the contribution of the start over that of start, source and prefix';
COMMENT ON COLUMN main.step_measures.log_probability IS 'natural logarithm of the given token''s probability';

COMMENT ON VIEW main.alignments IS 'for every generated word the source word that contributed most, in four readings; not what people would align';
COMMENT ON COLUMN main.alignments.explanation IS 'number of the explanation in this store';
COMMENT ON COLUMN main.alignments.document IS 'number of the document in this store';
COMMENT ON COLUMN main.alignments.role IS 'role of the text whose words were generated: hypothesis:MODEL or reference';
COMMENT ON COLUMN main.alignments.model IS 'name of the model';
COMMENT ON COLUMN main.alignments.composite IS 'name of the composite or method';
COMMENT ON COLUMN main.alignments.target IS 'kind of scalar explained';
COMMENT ON COLUMN main.alignments.convention IS 'predicted: by what the word''s own steps took; input: by what the steps behind its tokens took';
COMMENT ON COLUMN main.alignments.corrected IS 'whether each source token''s mean over the steps was taken off first';
COMMENT ON COLUMN main.alignments.word IS 'index of the generated word';
COMMENT ON COLUMN main.alignments.form IS 'the generated word as written';
COMMENT ON COLUMN main.alignments.lemma IS 'its dictionary form';
COMMENT ON COLUMN main.alignments.upos IS 'its universal part of speech';
COMMENT ON COLUMN main.alignments.source_word IS 'index of the source word';
COMMENT ON COLUMN main.alignments.source_form IS 'the source word as written';
COMMENT ON COLUMN main.alignments.source_lemma IS 'its dictionary form';
COMMENT ON COLUMN main.alignments.source_upos IS 'its universal part of speech';
COMMENT ON COLUMN main.alignments.score IS 'share of the source''s contributions to the word; corrected: above its mean share';
