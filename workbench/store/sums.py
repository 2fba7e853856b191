"""The checks of `verify` that make sums again: what is kept in parts must add up to what the ledger says."""

from __future__ import annotations

from workbench.relevance import ACCOUNTS
from workbench.store.connection import Connection
from workbench.store.wrong import Wrong, counted

#: Relative tolerance of sums over values that are stored in float32.
TOLERANCE = 1e-4


def sums(expected: str, actual: str, sentence: str) -> tuple[str, str]:
    """A query for explanations whose two sums differ by more than the tolerance."""
    return (
        (
            f"SELECT explanation FROM ({expected}) AS a(explanation, value) FULL JOIN ({actual}) AS b(explanation, other) "
            f"USING (explanation) WHERE value IS NULL OR other IS NULL OR abs(value - other) > {TOLERANCE} * greatest(abs(value), 1)"
        ),
        sentence,
    )


TOKEN_SUMS = "SELECT explanation, sum(relevance::DOUBLE) FROM kept.token_relevance GROUP BY explanation"
MEMBER_SUMS = (
    "SELECT e.member_of, avg(s.total) FROM kept.explanation e JOIN (SELECT explanation, sum(relevance::DOUBLE) AS total "
    "FROM kept.token_relevance GROUP BY explanation) s USING (explanation) WHERE e.member_of IS NOT NULL GROUP BY e.member_of"
)


def tokens(connection: Connection) -> list[Wrong]:
    """Compare the sum of the tokens' relevance (an ensemble's: mean over members) with the account of the ledger, where it has one."""
    account = f"SELECT explanation, tokens FROM kept.explanation SEMI JOIN ({TOKEN_SUMS}) USING (explanation) WHERE tokens IS NOT NULL"
    return counted(
        connection,
        sums(
            account,
            f"SELECT * FROM ({TOKEN_SUMS}) SEMI JOIN ({account}) USING (explanation)",
            "explanations whose tokens do not sum to their ledger",
        ),
        (
            (
                f"SELECT explanation FROM kept.explanation e JOIN ({MEMBER_SUMS}) AS m(explanation, value) USING (explanation) "
                f"WHERE abs(m.value - e.tokens) > {TOLERANCE} * greatest(abs(e.tokens), 1)"
            ),
            "ensembles whose ledger is not the mean of their members' tokens",
        ),
    )


def words(connection: Connection) -> list[Wrong]:
    """Compare the sum over words, special and uncovered with the sum over tokens."""
    actual = "SELECT explanation, sum(relevance::DOUBLE) FROM kept.word_relevance GROUP BY explanation"
    query, sentence = sums(f"{TOKEN_SUMS} UNION ALL {MEMBER_SUMS}", actual, "explanations whose words do not sum to their tokens")
    return counted(connection, (f"SELECT document AS words FROM ({query}) LEFT JOIN kept.explanation USING (explanation)", sentence))


def layers(connection: Connection) -> list[Wrong]:
    """Compare the sum over the layers of an account with that account, for every explanation that has layers of it."""
    known = ", ".join(f"'{account}'" for account in ACCOUNTS)
    strange = f"SELECT explanation FROM kept.layer_relevance WHERE account NOT IN ({known})"
    queries = [(strange, "layers of what is no account of the ledger")]
    for account in ACCOUNTS:
        actual = f"SELECT explanation, sum(relevance) FROM kept.layer_relevance WHERE account = '{account}' GROUP BY explanation"
        ledger_says = f"SELECT explanation, {account} FROM kept.explanation SEMI JOIN ({actual}) USING (explanation)"
        queries.append(sums(ledger_says, actual, f"explanations whose layers do not sum to the {account} of their ledger"))
    return counted(connection, *queries)


def cells(connection: Connection) -> list[Wrong]:
    """Compare the sum over the cells of a pair with its similarity, for every explanation that has cells."""
    actual = "SELECT explanation, sum(relevance::DOUBLE) FROM kept.interaction GROUP BY explanation"
    says = f"SELECT explanation, target_value - gap FROM kept.explanation SEMI JOIN ({actual}) USING (explanation)"
    return counted(connection, sums(says, actual, "pairs whose cells do not sum to their similarity"))


def steps(connection: Connection) -> list[Wrong]:
    """Compare the steps of a translation with its ledger, and the contributions of a step with the step."""
    actual = "SELECT explanation, sum(target_value::DOUBLE) FROM kept.step GROUP BY explanation"
    says = "SELECT explanation, target_value FROM kept.explanation WHERE explanation IN (SELECT explanation FROM kept.step)"
    by_side = (
        "SELECT explanation, step, coalesce(sum(relevance::DOUBLE) FILTER (side = 'source'), 0) AS source, "
        "coalesce(sum(relevance::DOUBLE) FILTER (side = 'prefix'), 0) AS prefix, sum(abs(relevance)) AS size "
        "FROM kept.contribution GROUP BY ALL"
    )
    return counted(
        connection,
        sums(says, actual, "translations whose steps do not sum to their ledger"),
        (
            (
                f"SELECT explanation FROM kept.step s FULL JOIN ({by_side}) c USING (explanation, step) "
                f"WHERE c.size IS NULL OR s.source IS NULL "
                f"OR greatest(abs(s.source - c.source), abs(s.prefix - c.prefix)) > {TOLERANCE} * greatest(c.size, 1)"
            ),
            "steps whose contributions do not sum to what they took",
        ),
    )
