# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Where does every translated word come from?
#
# A translation model writes each word from two things: the source sentence, and what it has already written. How much comes from where? The
# question is that of Voita, Sennrich and Titov (2021); here it is asked of small models that come along, from French, Gujarati and Kazakh into
# English, over sentences that come along too. It runs in about a minute and asks:
#
# 1. Which source words made one translation?
# 2. How does the share of the source run along a sentence, and which words need it most?
# 3. What changes with the language, and what with supervision: a tenth of the pairs, a tenth and back-translation, all of them?
# 4. Does the word order follow the source?
# 5. Which translations may have left their source?
#
# **Read this first.** The models are small, and the sentences are 24, by one author: they demonstrate, they are no benchmark. With
# `WORKBENCH_MIRROR` set, `workbench run translation-multi30k` does the same for thousands.

# %%
# %load_ext workbench

import polars as pl

from workbench import load_translator, query
from workbench.notebook import ask, contributions, follow, prepared, translation_map, translation_strip
from workbench.viz.contribution_charts import contribution_curve, contribution_groups


# %% [markdown]
# ## One sentence
#
# The model translates by beam search. Then one pass with the translation given and one batched backward pass say how much each generated token
# took from each token of the source, and from each token before it. Everything is booked: source, prefix, start, positions, biases and what
# softmax absorbs sum to the logit of each token. The bars are filled by the share of the source.

# %%
model = load_translator("translation-fr-en")
sentence = contributions(model, "Deux enfants jouent avec un ballon rouge sur la plage.")
translation_strip(sentence)

# %%
translation_map(sentence)

# %% [markdown]
# The same source, but a translation that has nothing to do with it, which the model is made to read. Now it goes by what stands before.

# %%
unrelated = contributions(model, "Deux enfants jouent avec un ballon rouge sur la plage.", "A woman is reading a book.", target="token")
translation_strip(unrelated)

# %% [markdown]
# ## A corpus, three languages
#
# A pipeline translates and explains the sample and keeps every contribution in a store, beside the words and parts of speech of both sides.

# %%
store = prepared("translation-supervision", store="translation")
prepared("translation-contributions", store="translation")  # into the same store: the French ones are there already
three = ["translation-fr-en", "translation-gu-en", "translation-kk-en"]
quality = query(store, "translation_quality").filter(pl.col("model").is_in(three))
quality.filter(pl.col("metric").is_in(["corpus_bleu", "chrf"])).select("model", "metric", "mean", "low", "high", "sentences")

# %% [markdown]
# The share of the source falls along the sentence, and the end needs it least. The Gujarati model has read the New Testament and nothing else,
# the Kazakh one government news: both write what they have read, whatever the source says. Their share of the source tells.

# %%
along = query(store, "contributions_by_position").filter(pl.col("model").is_in(three))
contribution_curve(along)

# %% [markdown]
# How widely are the contributions of the source spread? Entropy over the logarithm of the length: 1 is evenly over all tokens.

# %%
spread = query(store, "contributions_by_position", measures="normalized_source_entropy").filter(pl.col("model").is_in(three))
contribution_curve(spread)

# %%
totals = query(store, "contributions_by_source_position").filter(pl.col("model").is_in(three))
contribution_curve(totals)

# %% [markdown]
# ## Which words need the source?

# %%
by_part_of_speech = ask(store, "contributions_by_group", model="translation-fr-en", by="upos")
contribution_groups(by_part_of_speech.frame)

# %%
follow(store, by_part_of_speech, row=1)

# %% [markdown]
# ## Supervision
#
# Three models of one shape translate the same French sentences: trained on a tenth of the pairs, on a tenth and English sentences translated back
# into French, and on all pairs. More supervision, more from the source, and less spread; the intervals are over sentences.

# %%
levels = query(store, "contributions_by_group", by="supervision", languages="fr-en")
contribution_groups(levels)

# %% [markdown]
# Is that because they write different translations? No: it holds as well where all are given the reference.

# %%
on_references = query(store, "contributions_by_group", by="supervision", languages="fr-en", role="reference")
contribution_groups(on_references)

# %%
difference = query(store, "translation_difference", model="translation-fr-en", other="translation-fr-en-tenth")
difference.select("measure", "first", "second", "difference", "low", "high", "sentences")

# %% [markdown]
# ## Word order
#
# Each generated word is aligned with the source word that it took most from. Kendall's tau of 1 is the order of the source, 0 is none.

# %%
order = query(store, "word_order", languages="fr-en")
order.filter(pl.col("measure") == "kendall_tau").select("model", "against", "mean", "low", "high", "sentences")

# %% [markdown]
# ## Which translations may have left their source?
#
# Share of the source, probability and similarity stand side by side. None is proof; `workbench evaluate hallucination` makes translations that are
# known to have left their source, and measures what each sign is worth.

# %%
signs = query(store, "hallucination_signals", limit=6)
signs.select("model", "mean_share", "log_probability", "chrf", "source_text", "text")

# %% [markdown]
# ## How far to trust this
#
# Contributions say what the model's own number is made of: every ledger closes, and the logits under the rules are the model's own. They do not
# say whether a translation is right. Methods differ in what they call a share: `workbench evaluate synthetic-translation` compares them where
# the answer is known, `workbench evaluate alignment` beside alignments that people made.

# %%
# %%sql store >> trust
SELECT count(*) AS translations, max(abs(gap) / greatest(abs(target_value), 1)) AS largest_gap FROM translations
