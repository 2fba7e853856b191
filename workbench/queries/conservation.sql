-- How far the ledgers close: target = all accounts + gap, by model and composite
-- parameter bar (number, default 0.0001): relative gap that counts as closed
-- parameter corpus (text, default none): only documents of this corpus
-- column largest, mean: largest and mean relative gap, |gap| / max(|target|, 1)
-- column closed: share of explanations whose relative gap is at most the bar
-- column tokens, token_types, positions, decoder_inputs, biases, softmax, nonlinear, epsilon, gap: share of each account in the sum of their sizes
-- rows explanations: model = {model} AND composite = {composite} AND precision IS NOT DISTINCT FROM {precision} AND ($corpus IS NULL OR document IN (SELECT document FROM documents WHERE corpus = $corpus))
WITH sized AS (
    SELECT e.*, abs(tokens) + abs(token_types) + abs(positions) + abs(decoder_inputs) + abs(biases) + abs(softmax) + abs(nonlinear) + abs(epsilon)
                + abs(gap) AS size
    FROM explanations e JOIN documents d ON d.document = e.document WHERE $corpus::VARCHAR IS NULL OR d.corpus = $corpus
)
SELECT model, composite, precision, bool_or(member_of IS NOT NULL) AS member, count(*) AS explanations, max(relative_gap) AS largest,
       avg(relative_gap) AS mean, avg((relative_gap <= $bar::DOUBLE)::INTEGER) AS closed, avg(coverage) AS coverage,
       sum(abs(s.tokens)) / nullif(sum(size), 0) AS tokens, sum(abs(s.token_types)) / nullif(sum(size), 0) AS token_types,
       sum(abs(s.positions)) / nullif(sum(size), 0) AS positions, sum(abs(s.decoder_inputs)) / nullif(sum(size), 0) AS decoder_inputs,
       sum(abs(s.biases)) / nullif(sum(size), 0) AS biases, sum(abs(s.softmax)) / nullif(sum(size), 0) AS softmax,
       sum(abs(s.nonlinear)) / nullif(sum(size), 0) AS nonlinear, sum(abs(s.epsilon)) / nullif(sum(size), 0) AS epsilon,
       sum(abs(s.gap)) / nullif(sum(size), 0) AS gap
FROM sized s GROUP BY model, composite, precision ORDER BY ALL
