-- What every table, view and column means; `workbench query` and any DuckDB client show it (duckdb_columns()).

COMMENT ON TABLE kept.composite IS 'sets of propagation rules';
COMMENT ON COLUMN kept.composite.name IS 'name, unique';
COMMENT ON COLUMN kept.composite.fingerprint IS 'SHA-256 of everything that determines it';
COMMENT ON COLUMN kept.composite.parameters IS 'parameters (JSON)';

COMMENT ON TABLE kept.corpus IS 'corpora that documents come from';
COMMENT ON COLUMN kept.corpus.name IS 'name, unique';
COMMENT ON COLUMN kept.corpus.fingerprint IS 'SHA-256 of everything that determines it';
COMMENT ON COLUMN kept.corpus.parameters IS 'parameters (JSON)';

COMMENT ON TABLE kept.document IS 'documents: attributes and the fingerprint of their texts';
COMMENT ON COLUMN kept.document.document IS 'number of the document in this store';
COMMENT ON COLUMN kept.document.corpus IS 'name of the corpus';
COMMENT ON COLUMN kept.document.identifier IS 'name of the document within its corpus';
COMMENT ON COLUMN kept.document.fingerprint IS 'SHA-256 of the texts by role';
COMMENT ON COLUMN kept.document.label IS 'class';
COMMENT ON COLUMN kept.document.split IS 'published split';
COMMENT ON COLUMN kept.document.language IS 'language code';
COMMENT ON COLUMN kept.document.metadata IS 'more attributes (JSON)';
COMMENT ON COLUMN kept.document.digest IS '64 bits of MD5 over the content';
COMMENT ON COLUMN kept.document.batch IS 'batch that brought the row';

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
COMMENT ON COLUMN kept.explanation.biases IS 'account: held by biases';
COMMENT ON COLUMN kept.explanation.softmax IS 'account: absorbed by the softmax rule';
COMMENT ON COLUMN kept.explanation.nonlinear IS 'account: absorbed by rules of other non-linear operations';
COMMENT ON COLUMN kept.explanation.epsilon IS 'account: absorbed by epsilon';
COMMENT ON COLUMN kept.explanation.gap IS 'target minus all accounts';
COMMENT ON COLUMN kept.explanation.precision IS 'number format of the computation';
COMMENT ON COLUMN kept.explanation.coverage IS 'share of the characters in front of the model''s cut';
COMMENT ON COLUMN kept.explanation.digest IS '64 bits of MD5 over the content';
COMMENT ON COLUMN kept.explanation.batch IS 'batch that brought the row';

COMMENT ON TABLE kept.failure IS 'documents that could not be explained';
COMMENT ON COLUMN kept.failure.corpus IS 'name of the corpus';
COMMENT ON COLUMN kept.failure.identifier IS 'name of the document within its corpus';
COMMENT ON COLUMN kept.failure.fingerprint IS 'SHA-256 of the work that failed';
COMMENT ON COLUMN kept.failure.stage IS 'where it failed';
COMMENT ON COLUMN kept.failure.error IS 'what was said';
COMMENT ON COLUMN kept.failure.retryable IS 'whether the same input can succeed later';

COMMENT ON TABLE kept.ledger IS 'one row for each committed batch';
COMMENT ON COLUMN kept.ledger.batch IS 'batch that brought the row';
COMMENT ON COLUMN kept.ledger.run IS 'number of the run';
COMMENT ON COLUMN kept.ledger.action IS 'append, replace_words or scores';
COMMENT ON COLUMN kept.ledger.committed IS 'when (UTC)';
COMMENT ON COLUMN kept.ledger.input_hash IS 'hash of the frames that came in';
COMMENT ON COLUMN kept.ledger.content_hash IS 'hash of what this row says';
COMMENT ON COLUMN kept.ledger.rows IS 'rows written by table (JSON)';
COMMENT ON COLUMN kept.ledger.documents IS 'number of documents';
COMMENT ON COLUMN kept.ledger.document_digest IS 'sum of their digests';
COMMENT ON COLUMN kept.ledger.explanations IS 'number of explanations';
COMMENT ON COLUMN kept.ledger.explanation_digest IS 'sum of their digests';
COMMENT ON COLUMN kept.ledger.relevance IS 'sum of the token relevance added';

COMMENT ON TABLE kept.migration IS 'steps of the schema that were applied';
COMMENT ON COLUMN kept.migration.number IS 'number of the step';
COMMENT ON COLUMN kept.migration.name IS 'name of the step';
COMMENT ON COLUMN kept.migration.sha256 IS 'SHA-256 of the step''s SQL';
COMMENT ON COLUMN kept.migration.applied IS 'when (UTC)';

COMMENT ON TABLE kept.model IS 'models that explain';
COMMENT ON COLUMN kept.model.name IS 'name, unique';
COMMENT ON COLUMN kept.model.fingerprint IS 'SHA-256 of everything that determines it';
COMMENT ON COLUMN kept.model.kind IS 'kind of model';
COMMENT ON COLUMN kept.model.parameters IS 'parameters (JSON)';

COMMENT ON TABLE kept.prediction IS 'what models predict';
COMMENT ON COLUMN kept.prediction.document IS 'number of the document in this store';
COMMENT ON COLUMN kept.prediction.role IS 'which text of the document: text, text_a, text_b, source, reference, hypothesis';
COMMENT ON COLUMN kept.prediction.model IS 'name of the model';
COMMENT ON COLUMN kept.prediction.label IS 'class';
COMMENT ON COLUMN kept.prediction.logit IS 'score before the softmax';
COMMENT ON COLUMN kept.prediction.probability IS 'probability (an ensemble''s: mean over members)';
COMMENT ON COLUMN kept.prediction.votes IS 'members that prefer this class';

COMMENT ON TABLE kept.removal IS 'what later batches took away from earlier ones';
COMMENT ON COLUMN kept.removal.batch IS 'batch that brought the row';
COMMENT ON COLUMN kept.removal.origin IS 'batch that had brought what was removed';
COMMENT ON COLUMN kept.removal.documents IS 'number of documents';
COMMENT ON COLUMN kept.removal.document_digest IS 'sum of their digests';
COMMENT ON COLUMN kept.removal.explanations IS 'number of explanations';
COMMENT ON COLUMN kept.removal.explanation_digest IS 'sum of their digests';

COMMENT ON TABLE kept.run IS 'executions of pipelines';
COMMENT ON COLUMN kept.run.run IS 'number of the run';
COMMENT ON COLUMN kept.run.pipeline IS 'name of the pipeline';
COMMENT ON COLUMN kept.run.parameters IS 'parameters (JSON)';
COMMENT ON COLUMN kept.run.environment IS 'versions and machine (JSON)';
COMMENT ON COLUMN kept.run.status IS 'running, finished, failed or interrupted';
COMMENT ON COLUMN kept.run.started IS 'start (UTC)';
COMMENT ON COLUMN kept.run.ended IS 'end (UTC)';
COMMENT ON COLUMN kept.run.counts IS 'what was done (JSON)';

COMMENT ON TABLE kept.score IS 'evaluation scores of methods';
COMMENT ON COLUMN kept.score.document IS 'number of the document in this store';
COMMENT ON COLUMN kept.score.role IS 'which text of the document: text, text_a, text_b, source, reference, hypothesis';
COMMENT ON COLUMN kept.score.model IS 'name of the model';
COMMENT ON COLUMN kept.score.method IS 'method whose order was tested';
COMMENT ON COLUMN kept.score.ordering IS 'signed or absolute relevance';
COMMENT ON COLUMN kept.score.metric IS 'name of the score';
COMMENT ON COLUMN kept.score.value IS 'the score';

COMMENT ON TABLE kept.segment IS 'texts of documents by role';
COMMENT ON COLUMN kept.segment.document IS 'number of the document in this store';
COMMENT ON COLUMN kept.segment.role IS 'which text of the document: text, text_a, text_b, source, reference, hypothesis';
COMMENT ON COLUMN kept.segment.text IS 'the untouched text';

COMMENT ON TABLE kept.store IS 'identity of this store, shared with its ledger beside it';
COMMENT ON COLUMN kept.store.identity IS 'random name given when the store was made';
COMMENT ON COLUMN kept.store.created IS 'when the store was made (UTC)';

COMMENT ON TABLE kept.token IS 'tokens of each tokenizer with their character spans';
COMMENT ON COLUMN kept.token.document IS 'number of the document in this store';
COMMENT ON COLUMN kept.token.role IS 'which text of the document: text, text_a, text_b, source, reference, hypothesis';
COMMENT ON COLUMN kept.token.tokenizer IS 'name of the tokenizer';
COMMENT ON COLUMN kept.token.token IS 'index of the token in its text';
COMMENT ON COLUMN kept.token.char_start IS 'first code point of the span';
COMMENT ON COLUMN kept.token.char_end IS 'end of the span in code points, exclusive';
COMMENT ON COLUMN kept.token.piece IS 'the token as the tokenizer writes it';
COMMENT ON COLUMN kept.token.special IS 'whether the tokenizer added it';

COMMENT ON TABLE kept.token_relevance IS 'relevance of tokens';
COMMENT ON COLUMN kept.token_relevance.explanation IS 'number of the explanation in this store';
COMMENT ON COLUMN kept.token_relevance.token IS 'index of the token in its text';
COMMENT ON COLUMN kept.token_relevance.relevance IS 'relevance in units of the target';
COMMENT ON COLUMN kept.token_relevance.position IS 'relevance of the token''s positional signal';
COMMENT ON COLUMN kept.token_relevance.sensitivity IS 'squared gradient';

COMMENT ON TABLE kept.word IS 'linguistic words with their annotation';
COMMENT ON COLUMN kept.word.document IS 'number of the document in this store';
COMMENT ON COLUMN kept.word.role IS 'which text of the document: text, text_a, text_b, source, reference, hypothesis';
COMMENT ON COLUMN kept.word.annotator IS 'name of the annotator';
COMMENT ON COLUMN kept.word.word IS 'index of the word in its text';
COMMENT ON COLUMN kept.word.char_start IS 'first code point of the span';
COMMENT ON COLUMN kept.word.char_end IS 'end of the span in code points, exclusive';
COMMENT ON COLUMN kept.word.form IS 'the word as written';
COMMENT ON COLUMN kept.word.lemma IS 'dictionary form';
COMMENT ON COLUMN kept.word.upos IS 'universal part of speech';
COMMENT ON COLUMN kept.word.xpos IS 'part of speech of the language';
COMMENT ON COLUMN kept.word.features IS 'morphological features';
COMMENT ON COLUMN kept.word.head IS 'index of the governing word';
COMMENT ON COLUMN kept.word.relation IS 'dependency relation to the head';
COMMENT ON COLUMN kept.word.entity IS 'named entity';
COMMENT ON COLUMN kept.word.sentence IS 'index of the sentence';

COMMENT ON TABLE kept.word_relevance IS 'relevance of words with their annotation; words, special and uncovered rows of an explanation sum to its tokens';
COMMENT ON COLUMN kept.word_relevance.explanation IS 'number of the explanation in this store';
COMMENT ON COLUMN kept.word_relevance.document IS 'number of the document in this store';
COMMENT ON COLUMN kept.word_relevance.role IS 'which text of the document: text, text_a, text_b, source, reference, hypothesis';
COMMENT ON COLUMN kept.word_relevance.model IS 'name of the model';
COMMENT ON COLUMN kept.word_relevance.composite IS 'name of the composite';
COMMENT ON COLUMN kept.word_relevance.label IS 'class explained';
COMMENT ON COLUMN kept.word_relevance.kind IS 'word, special (all special tokens) or uncovered (all tokens that touch no word)';
COMMENT ON COLUMN kept.word_relevance.word IS 'index of the word, NULL for special and uncovered';
COMMENT ON COLUMN kept.word_relevance.form IS 'the word as written';
COMMENT ON COLUMN kept.word_relevance.lemma IS 'dictionary form';
COMMENT ON COLUMN kept.word_relevance.upos IS 'universal part of speech';
COMMENT ON COLUMN kept.word_relevance.relation IS 'dependency relation to the head';
COMMENT ON COLUMN kept.word_relevance.sentence IS 'index of the sentence';
COMMENT ON COLUMN kept.word_relevance.relevance IS 'relevance in units of the target';
COMMENT ON COLUMN kept.word_relevance.sensitivity IS 'squared gradient';
