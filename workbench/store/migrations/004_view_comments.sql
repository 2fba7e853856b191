-- What every view and its columns mean.

COMMENT ON VIEW main.batches IS 'one row for each committed batch';
COMMENT ON COLUMN main.batches.batch IS 'batch that brought the row';
COMMENT ON COLUMN main.batches.run IS 'number of the run';
COMMENT ON COLUMN main.batches.action IS 'append, replace_words or scores';
COMMENT ON COLUMN main.batches.committed IS 'when (UTC)';
COMMENT ON COLUMN main.batches.input_hash IS 'hash of the frames that came in';
COMMENT ON COLUMN main.batches.content_hash IS 'hash of what this row says';
COMMENT ON COLUMN main.batches.rows IS 'rows written by table (JSON)';
COMMENT ON COLUMN main.batches.documents IS 'number of documents';
COMMENT ON COLUMN main.batches.explanations IS 'number of explanations';
COMMENT ON COLUMN main.batches.relevance IS 'sum of the token relevance added';

COMMENT ON VIEW main.composites IS 'sets of propagation rules';
COMMENT ON COLUMN main.composites.name IS 'name, unique';
COMMENT ON COLUMN main.composites.fingerprint IS 'SHA-256 of everything that determines it';
COMMENT ON COLUMN main.composites.parameters IS 'parameters (JSON)';

COMMENT ON VIEW main.corpora IS 'corpora that documents come from';
COMMENT ON COLUMN main.corpora.name IS 'name, unique';
COMMENT ON COLUMN main.corpora.fingerprint IS 'SHA-256 of everything that determines it';
COMMENT ON COLUMN main.corpora.parameters IS 'parameters (JSON)';

COMMENT ON VIEW main.documents IS 'documents with the text of role ''text''';
COMMENT ON COLUMN main.documents.document IS 'number of the document in this store';
COMMENT ON COLUMN main.documents.corpus IS 'name of the corpus';
COMMENT ON COLUMN main.documents.identifier IS 'name of the document within its corpus';
COMMENT ON COLUMN main.documents.fingerprint IS 'SHA-256 of the texts by role';
COMMENT ON COLUMN main.documents.label IS 'class';
COMMENT ON COLUMN main.documents.split IS 'published split';
COMMENT ON COLUMN main.documents.language IS 'language code';
COMMENT ON COLUMN main.documents.metadata IS 'more attributes (JSON)';
COMMENT ON COLUMN main.documents.text IS 'the text of role ''text'', NULL where there is none';
COMMENT ON COLUMN main.documents.batch IS 'batch that brought the row';

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
COMMENT ON COLUMN main.explanations.biases IS 'account: held by biases';
COMMENT ON COLUMN main.explanations.softmax IS 'account: absorbed by the softmax rule';
COMMENT ON COLUMN main.explanations.nonlinear IS 'account: absorbed by rules of other non-linear operations';
COMMENT ON COLUMN main.explanations.epsilon IS 'account: absorbed by epsilon';
COMMENT ON COLUMN main.explanations.gap IS 'target minus all accounts';
COMMENT ON COLUMN main.explanations.precision IS 'number format of the computation';
COMMENT ON COLUMN main.explanations.coverage IS 'share of the characters in front of the model''s cut';
COMMENT ON COLUMN main.explanations.batch IS 'batch that brought the row';
COMMENT ON COLUMN main.explanations.relative_gap IS '|gap| / max(|target|, 1)';

COMMENT ON VIEW main.failures IS 'documents that could not be explained';
COMMENT ON COLUMN main.failures.corpus IS 'name of the corpus';
COMMENT ON COLUMN main.failures.identifier IS 'name of the document within its corpus';
COMMENT ON COLUMN main.failures.fingerprint IS 'SHA-256 of the work that failed';
COMMENT ON COLUMN main.failures.stage IS 'where it failed';
COMMENT ON COLUMN main.failures.error IS 'what was said';
COMMENT ON COLUMN main.failures.retryable IS 'whether the same input can succeed later';

COMMENT ON VIEW main.faithfulness IS 'evaluation scores of methods';
COMMENT ON COLUMN main.faithfulness.document IS 'number of the document in this store';
COMMENT ON COLUMN main.faithfulness.role IS 'which text of the document: text, text_a, text_b, source, reference, hypothesis';
COMMENT ON COLUMN main.faithfulness.model IS 'name of the model';
COMMENT ON COLUMN main.faithfulness.method IS 'method whose order was tested';
COMMENT ON COLUMN main.faithfulness.ordering IS 'signed or absolute relevance';
COMMENT ON COLUMN main.faithfulness.metric IS 'name of the score';
COMMENT ON COLUMN main.faithfulness.value IS 'the score';

COMMENT ON VIEW main.tokenizer_losses IS 'what a model''s tokenizer dropped from a document';
COMMENT ON COLUMN main.tokenizer_losses.document IS 'number of the document in this store';
COMMENT ON COLUMN main.tokenizer_losses.role IS 'which text of the document: text, text_a, text_b, source, reference, hypothesis';
COMMENT ON COLUMN main.tokenizer_losses.model IS 'name of the model';
COMMENT ON COLUMN main.tokenizer_losses.kind IS 'combining marks, joiners or unknown tokens';
COMMENT ON COLUMN main.tokenizer_losses.lost IS 'how many were dropped, or are unknown';

COMMENT ON VIEW main.models IS 'models that explain';
COMMENT ON COLUMN main.models.name IS 'name, unique';
COMMENT ON COLUMN main.models.fingerprint IS 'SHA-256 of everything that determines it';
COMMENT ON COLUMN main.models.kind IS 'kind of model';
COMMENT ON COLUMN main.models.parameters IS 'parameters (JSON)';

COMMENT ON VIEW main.position_relevance IS 'relevance of positional signals by token';
COMMENT ON COLUMN main.position_relevance.explanation IS 'number of the explanation in this store';
COMMENT ON COLUMN main.position_relevance.document IS 'number of the document in this store';
COMMENT ON COLUMN main.position_relevance.role IS 'which text of the document: text, text_a, text_b, source, reference, hypothesis';
COMMENT ON COLUMN main.position_relevance.model IS 'name of the model';
COMMENT ON COLUMN main.position_relevance.composite IS 'name of the composite';
COMMENT ON COLUMN main.position_relevance.label IS 'class explained';
COMMENT ON COLUMN main.position_relevance.token IS 'index of the token in its text';
COMMENT ON COLUMN main.position_relevance.relevance IS 'relevance of the token''s positional signal in units of the target';

COMMENT ON VIEW main.predictions IS 'what models predict';
COMMENT ON COLUMN main.predictions.document IS 'number of the document in this store';
COMMENT ON COLUMN main.predictions.role IS 'which text of the document: text, text_a, text_b, source, reference, hypothesis';
COMMENT ON COLUMN main.predictions.model IS 'name of the model';
COMMENT ON COLUMN main.predictions.label IS 'class';
COMMENT ON COLUMN main.predictions.logit IS 'score before the softmax';
COMMENT ON COLUMN main.predictions.probability IS 'probability (an ensemble''s: mean over members)';
COMMENT ON COLUMN main.predictions.votes IS 'members that prefer this class';

COMMENT ON VIEW main.runs IS 'executions of pipelines';
COMMENT ON COLUMN main.runs.run IS 'number of the run';
COMMENT ON COLUMN main.runs.pipeline IS 'name of the pipeline';
COMMENT ON COLUMN main.runs.parameters IS 'parameters (JSON)';
COMMENT ON COLUMN main.runs.environment IS 'versions and machine (JSON)';
COMMENT ON COLUMN main.runs.status IS 'running, finished, failed or interrupted';
COMMENT ON COLUMN main.runs.started IS 'start (UTC)';
COMMENT ON COLUMN main.runs.ended IS 'end (UTC)';
COMMENT ON COLUMN main.runs.counts IS 'what was done (JSON)';

COMMENT ON VIEW main.segments IS 'texts of documents by role';
COMMENT ON COLUMN main.segments.document IS 'number of the document in this store';
COMMENT ON COLUMN main.segments.role IS 'which text of the document: text, text_a, text_b, source, reference, hypothesis';
COMMENT ON COLUMN main.segments.text IS 'the untouched text';

COMMENT ON VIEW main.tokens IS 'tokens of each tokenizer with their character spans';
COMMENT ON COLUMN main.tokens.document IS 'number of the document in this store';
COMMENT ON COLUMN main.tokens.role IS 'which text of the document: text, text_a, text_b, source, reference, hypothesis';
COMMENT ON COLUMN main.tokens.tokenizer IS 'name of the tokenizer';
COMMENT ON COLUMN main.tokens.token IS 'index of the token in its text';
COMMENT ON COLUMN main.tokens.char_start IS 'first code point of the span';
COMMENT ON COLUMN main.tokens.char_end IS 'end of the span in code points, exclusive';
COMMENT ON COLUMN main.tokens.piece IS 'the token as the tokenizer writes it';
COMMENT ON COLUMN main.tokens.special IS 'whether the tokenizer added it';

COMMENT ON VIEW main.token_relevance IS 'relevance of tokens with their text and span';
COMMENT ON COLUMN main.token_relevance.explanation IS 'number of the explanation in this store';
COMMENT ON COLUMN main.token_relevance.document IS 'number of the document in this store';
COMMENT ON COLUMN main.token_relevance.role IS 'which text of the document: text, text_a, text_b, source, reference, hypothesis';
COMMENT ON COLUMN main.token_relevance.model IS 'name of the model';
COMMENT ON COLUMN main.token_relevance.composite IS 'name of the composite';
COMMENT ON COLUMN main.token_relevance.label IS 'class explained';
COMMENT ON COLUMN main.token_relevance.token IS 'index of the token in its text';
COMMENT ON COLUMN main.token_relevance.piece IS 'the token as the tokenizer writes it';
COMMENT ON COLUMN main.token_relevance.char_start IS 'first code point of the span';
COMMENT ON COLUMN main.token_relevance.char_end IS 'end of the span in code points, exclusive';
COMMENT ON COLUMN main.token_relevance.special IS 'whether the tokenizer added it';
COMMENT ON COLUMN main.token_relevance.relevance IS 'relevance in units of the target';
COMMENT ON COLUMN main.token_relevance.sensitivity IS 'squared gradient';

COMMENT ON VIEW main.words IS 'linguistic words with their annotation';
COMMENT ON COLUMN main.words.document IS 'number of the document in this store';
COMMENT ON COLUMN main.words.role IS 'which text of the document: text, text_a, text_b, source, reference, hypothesis';
COMMENT ON COLUMN main.words.annotator IS 'name of the annotator';
COMMENT ON COLUMN main.words.word IS 'index of the word in its text';
COMMENT ON COLUMN main.words.char_start IS 'first code point of the span';
COMMENT ON COLUMN main.words.char_end IS 'end of the span in code points, exclusive';
COMMENT ON COLUMN main.words.form IS 'the word as written';
COMMENT ON COLUMN main.words.lemma IS 'dictionary form';
COMMENT ON COLUMN main.words.upos IS 'universal part of speech';
COMMENT ON COLUMN main.words.xpos IS 'part of speech of the language';
COMMENT ON COLUMN main.words.features IS 'morphological features';
COMMENT ON COLUMN main.words.head IS 'index of the governing word';
COMMENT ON COLUMN main.words.relation IS 'dependency relation to the head';
COMMENT ON COLUMN main.words.entity IS 'named entity';
COMMENT ON COLUMN main.words.sentence IS 'index of the sentence';

COMMENT ON VIEW main.word_relevance IS 'relevance of words with their annotation; words, special and uncovered rows of an explanation sum to its tokens';
COMMENT ON COLUMN main.word_relevance.explanation IS 'number of the explanation in this store';
COMMENT ON COLUMN main.word_relevance.document IS 'number of the document in this store';
COMMENT ON COLUMN main.word_relevance.role IS 'which text of the document: text, text_a, text_b, source, reference, hypothesis';
COMMENT ON COLUMN main.word_relevance.model IS 'name of the model';
COMMENT ON COLUMN main.word_relevance.composite IS 'name of the composite';
COMMENT ON COLUMN main.word_relevance.label IS 'class explained';
COMMENT ON COLUMN main.word_relevance.kind IS 'word, special (all special tokens) or uncovered (all tokens that touch no word)';
COMMENT ON COLUMN main.word_relevance.word IS 'index of the word, NULL for special and uncovered';
COMMENT ON COLUMN main.word_relevance.form IS 'the word as written';
COMMENT ON COLUMN main.word_relevance.lemma IS 'dictionary form';
COMMENT ON COLUMN main.word_relevance.upos IS 'universal part of speech';
COMMENT ON COLUMN main.word_relevance.relation IS 'dependency relation to the head';
COMMENT ON COLUMN main.word_relevance.sentence IS 'index of the sentence';
COMMENT ON COLUMN main.word_relevance.relevance IS 'relevance in units of the target';
COMMENT ON COLUMN main.word_relevance.sensitivity IS 'squared gradient';
