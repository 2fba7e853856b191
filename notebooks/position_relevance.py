# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Does the model rely on where words stand?
#
# A transformer reads a bag of tokens and a signal of where each stands. Relevance reaches both. Most explanations show the tokens and drop the
# rest; here the rest is asked (position-aware LRP: Bakish and Chefer 2025).
#
# 1. Over a corpus: how much of a decision do positions hold, and which ones?
# 2. Does word order matter when it is really taken away?
# 3. Does such a reading find a signal that *is* a position and nothing else, when we know that it is one?

# %%
# %load_ext workbench

import altair as alt
import numpy as np
import polars as pl

from workbench import Store, explain, load
from workbench.evaluation.planted_run import Size, planted_run
from workbench.notebook import ask, follow, prepared
from workbench.viz.grammar_charts import lifts


# %% [markdown]
# ## How much do positions hold?
#
# The three Bengali classifiers have learnt embeddings of positions. The ledger of every explanation says what share of its target ended there.

# %%
store = prepared("bengali-hate", split="test", evaluated=12)

# %%
# %%sql store >> held
SELECT model, count(*) AS posts, avg(abs(positions) / (abs(tokens) + abs(positions) + abs(biases))) AS share_of_positions,
       avg(positions) AS mean, avg(tokens) AS mean_of_tokens, max(relative_gap) AS largest_gap
FROM explanations WHERE member_of IS NULL GROUP BY model

# %% [markdown]
# ## Which places do words of weight stand in?
#
# Fifths of a post, from its beginning to its end: the share of relevance of the words there over their share of all words, with intervals over
# posts. At 1 a fifth holds what its words alone would give.

# %%
places = ask(store, "relevance_by_document_position", parts=5)
lifts(places.frame.with_columns(pl.col("label").cast(pl.String)), "Relevance by fifth of the post")

# %%
follow(store, places, row=1)

# %% [markdown]
# ## What if the order goes?
#
# Association is not effect. The same posts with their words shuffled: how often does the decision change, and what does
# the model then hold of its own decision?

# %%
model = load("bengali-hate")
written = Store.open(store).sql(
    """
    SELECT identifier, s.text, e.label, positions, target_value FROM explanations e
    JOIN documents USING (document) JOIN segments s ON s.document = e.document AND s.role = e.role
    WHERE member_of IS NULL ORDER BY identifier
    """
)
random = np.random.default_rng(0)
texts = [text.split() for text in written["text"]]
shuffled = explain(model, [" ".join(random.permutation(words)) for words in texts])
other = sum(one.label != label for one, label in zip(shuffled, written["label"], strict=True))
rows = [
    ("as written", len(written), 0, written["positions"].mean(), written["target_value"].mean()),
    ("shuffled", len(shuffled), other, np.mean([one.ledger.accounts["positions"] for one in shuffled]), np.mean([one.ledger.target for one in shuffled])),
]
changed = pl.DataFrame(rows, schema=["order", "posts", "other decisions", "mean relevance of positions", "mean logit of the decision"], orient="row")
changed

# %% [markdown]
# **What it means.** Positions hold a fifth of the size of the ledger, and yet few decisions change when the order goes: the ensemble reads these posts
# much as bags of words. Relevance of positions says what the number is made of, not that order decides it.

# %% [markdown]
# ## A signal that is a position
#
# A small model is trained on texts of random words in which one word stands in the first or in the second half: only the place decides. Its
# positions are learnt embeddings, as those above. We know the answer, so that a reading can be right or wrong: precision is the share of texts in which the place with
# the highest relevance is the one that decides.

# %%
runs = [planted_run("position_only", 0, Size(ranked=30, tested=0), encoding) for encoding in ("absolute",)]
found = pl.concat([run.found for run in runs])
chance = found.filter(method="random")["precision_at_k"].mean()
read_positions = found.filter(pl.col("reading").is_in(["tokens", "positions"]), pl.col("method").is_in(["attnlrp", "palrp", "gradient_x_input"]))
shown = read_positions.with_columns(pl.format("{} · {}", "method", "reading").alias("reading of"))
bars = alt.Chart(shown).mark_point(size=70, filled=True, opacity=0.9).encode(
    x=alt.X("precision_at_k:Q", title="precision (share of texts)", scale=alt.Scale(domain=[0, 1])),
    y=alt.Y("reading of:N", title=None),
    yOffset=alt.YOffset("ordering:N", sort=["signed", "absolute"]),
    shape=alt.Shape("ordering:N", scale=alt.Scale(domain=["signed", "absolute"], range=["circle", "diamond"]), title="places ranked by"),
    color=alt.Color("ordering:N", scale=alt.Scale(domain=["signed", "absolute"], range=["#0072b2", "#d55e00"]), title="places ranked by"),
)
line = alt.Chart(pl.DataFrame({"chance": [chance]})).mark_rule(color="#767676", strokeDash=[4, 3]).encode(x="chance:Q")
alt.layer(bars, line, data=shown).properties(width=200, height={"step": 12}).facet(column=alt.Column("encoding:N", title="positions"))

# %% [markdown]
# The dashed line is random order. Ranked by size, positions find the place with every one of these rules. Ranked by sign, they need not: with
# learnt positions AttnLRP gives the deciding place a large *negative* relevance and its token a positive one. Tokens show the place too: the token that stands there is where the position acts. That is why a high relevance of
# a *word* does not prove that the word is what counts.

# %% [markdown]
# ## How far to trust it
#
# * 48 posts and one ensemble: the shares above are of these.
# * Shuffling makes texts that the model never saw. What changes mixes the loss of order with the strangeness of the text.
# * One small model is an example, not a benchmark: `workbench validate` trains more, with rotary and relative positions too, and asks every method.

# %%
relies = pl.DataFrame([(run.encoding, run.reliance.accuracy, run.reliance.control_accuracy) for run in runs], schema=["positions", "accuracy", "without_signal"], orient="row")
relies
