# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # What makes a model call a Bengali post political, personal, religious or geopolitical hate?
#
# A study on 48 posts that come with the workbench, and an ensemble of three small classifiers trained on the published corpus (Karim et al. 2021).
#
# 1. Which words carry the decision in one post?
# 2. Which words carry each class, and which are key for it rather than merely frequent?
# 3. Which kinds of words does the model rely on?
# 4. Where it errs: what led it there?
#
# **Read this first.** The corpus has no class "not hate". The model says *which kind* of hate a post is, never *whether* it is hate. The posts are
# offensive: that is their subject.

# %%
# %load_ext workbench

import altair as alt
import polars as pl

from workbench import explain, heatmap, keyness, load, query, read
from workbench.notebook import ask, follow, prepared
from workbench.viz.effect_charts import effects
from workbench.viz.grammar_charts import lifts


# %% [markdown]
# ## One post
#
# `explain` runs every member of the ensemble once forward and once backward under the rules of AttnLRP. The model's answer does not change by it;
# relevance of words, positions, biases and what the rules absorb add up to the logit that is explained.

# %%
model = load("bengali-hate")
post = explain(model, read("bengali-hate-sample", split="test", limit=1))[0]
heatmap(post)

# %% [markdown]
# ## All posts
#
# A pipeline writes the same numbers for the corpus into a DuckDB file. What is stored already is not computed again.

# %%
store = prepared("bengali-hate", split="test", evaluated=12)
accuracy = query(store, "accuracy", by="probability", model="bengali-hate").select("label", "documents", "precision", "recall", "f1")
accuracy

# %% [markdown]
# The strongest words for a class: mean relevance of one occurrence with a 95 % interval over posts. Only words that stand in two posts or more
# that were decided so; a class without a panel has none.

# %%
terms = ask(store, "top_terms", limit=6, minimum_documents=2, form="form")
strongest = terms.frame.filter(pl.col("side") == "for")
base = alt.Chart(strongest).encode(y=alt.Y("term:N", sort="-x", title=None, axis=alt.Axis(labelFontSize=13)))
dots = base.mark_point(filled=True, color="#d55e00", opacity=1, size=50).encode(x=alt.X("mean:Q", title="mean relevance (logit)"))
intervals = base.mark_rule(color="#d55e00", strokeWidth=2, opacity=0.55).encode(x="low:Q", x2="high:Q")
(intervals + dots).properties(width=220, height={"step": 20}).facet(facet=alt.Facet("label:N", title=None), columns=2).resolve_scale(y="independent")

# %% [markdown]
# Each row leads to the word in its contexts and to the posts.

# %%
follow(store, terms, row=1)

# %% [markdown]
# ## Key, or merely frequent?
#
# Keyness of relevance compares what a word holds of all relevance for one class with what it holds for the others. The test lets whole posts change
# sides, never words, and corrects for the number of words (q); `null_low` and `null_high` are what shuffled labels give.

# %%
key = keyness(store, "Political", what="lemma", minimum_documents=3, minimum_occurrences=3, permutations=2_000, limit=8)
key.frame.select("item", "log_ratio", "log_ratio_low", "log_ratio_high", "null_low", "null_high", "q_value", "documents")

# %%
passed = key.frame.filter(pl.col("q_value") < 0.05).height
f"{passed} of {key.rows} lemmas pass at q < 0.05"

# %% [markdown]
# None passes. Log ratios of 4 or 5 look large, but shuffled labels give them too: in 48 posts hardly a lemma stands in more than six. A list of
# "key words" from so few posts, without the null beside it, would have been a list of accidents.

# %% [markdown]
# ## Which kinds of words?
#
# Lift by part of speech: share of the relevance over share of the words. On a logarithmic scale; at 1 a class of words holds what its number gives.

# %%
kinds = query(store, "relevance_by_upos").filter(pl.col("lift").is_not_null(), pl.col("occurrences") >= 10)
lifts(kinds, "Relevance by part of speech")

# %%
# %%sql store >> shares
SELECT upos, sum(abs(relevance)) / sum(sum(abs(relevance))) OVER () AS share, count(*) AS words, count(DISTINCT document) AS posts
FROM word_relevance WHERE model = 'bengali-hate' AND kind = 'word' GROUP BY upos ORDER BY share DESC

# %% [markdown]
# ## Where it errs
#
# Posts whose label is not what the ensemble says, and the word that spoke most for the wrong class.

# %%
# %%sql store >> errors
WITH decided AS (
    SELECT document, arg_max(label, probability) AS predicted, max(probability) AS probability
    FROM predictions WHERE model = 'bengali-hate' GROUP BY document
)
SELECT d.identifier, d.label, p.predicted, p.probability, arg_max(w.form, w.relevance) AS led_by, max(w.relevance) AS relevance
FROM decided p JOIN documents d USING (document)
JOIN word_relevance w ON w.document = p.document AND w.label = p.predicted AND w.model = 'bengali-hate' AND w.kind = 'word'
WHERE d.label <> p.predicted GROUP BY ALL ORDER BY probability DESC

# %% [markdown]
# ## How far to trust it
#
# The ledger says whether every unit of relevance is accounted for (it must close). Comprehensiveness says how far the probability falls when the
# most relevant words are taken away, beside random words; twelve posts leave the interval wide. Neither proves that a word is the *cause* of a
# decision, and 48 posts by few hands do not stand for a language: `workbench run bengali-hate-corpus` asks the published corpus.

# %%
query(store, "conservation").select("model", "explanations", "largest", "closed")

# %%
faithfulness = query(store, "faithfulness").filter((pl.col("ordering") == "signed") & (pl.col("metric") == "comprehensiveness"))
faithfulness.select("method", "mean", "low", "high", "documents").sort("mean", descending=True)

# %% [markdown]
# **Reading.** Words that name a group or a country can carry a class by themselves. A post that merely names them is pulled towards that class,
# whatever it says: `workbench report` lists such words, `workbench shortcuts` tests them.
