"""The line of every key of a TOML document, however it is written."""

from __future__ import annotations

from typing import Any

import tomli
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.config.lines import KeyPath, key_lines

DOCUMENT = '''\
# a comment with [brackets] and "quotes"
top = 1
dotted . key = 2 # trailing

[table]
"quoted key" = "with # and ] and \\" inside"
'literal' = 'C:\\'
long = """
[not a table]
x = 1 \\""" ""x"""""
after = \'\'\'
y = 2
\'\'\'
list = [ # opens
  1, [2,
  3], # ends
  { a = 1, b.c = "}" },
]
inline = { one = 1, two = { three = [4] } }
when = 1979-05-27 07:32:00

[[array]]
name = "first"
[array.child]
deep = 1
[[array.items]]
n = 1
[[array.items]]
n = 2
[other]
[[array]]
name = "second"
[array.child]
deep = 2
[table.sub]
z = 1
'''


def lines_of(text: str) -> dict[KeyPath, int]:
    tomli.loads(text)
    return key_lines(text)


def test_every_way_to_write_a_key_is_found_on_its_line() -> None:
    lines = lines_of(DOCUMENT)

    assert lines == {
        ("top",): 2,
        ("dotted",): 3,
        ("dotted", "key"): 3,
        ("table",): 5,
        ("table", "quoted key"): 6,
        ("table", "literal"): 7,
        ("table", "long"): 8,
        ("table", "after"): 11,
        ("table", "list"): 14,
        ("table", "list", 0): 15,
        ("table", "list", 1): 15,
        ("table", "list", 1, 0): 15,
        ("table", "list", 1, 1): 16,
        ("table", "list", 2): 17,
        ("table", "list", 2, "a"): 17,
        ("table", "list", 2, "b"): 17,
        ("table", "list", 2, "b", "c"): 17,
        ("table", "inline"): 19,
        ("table", "inline", "one"): 19,
        ("table", "inline", "two"): 19,
        ("table", "inline", "two", "three"): 19,
        ("table", "inline", "two", "three", 0): 19,
        ("table", "when"): 20,
        ("array",): 22,
        ("array", 0): 22,
        ("array", 0, "name"): 23,
        ("array", 0, "child"): 24,
        ("array", 0, "child", "deep"): 25,
        ("array", 0, "items"): 26,
        ("array", 0, "items", 0): 26,
        ("array", 0, "items", 0, "n"): 27,
        ("array", 0, "items", 1): 28,
        ("array", 0, "items", 1, "n"): 29,
        ("other",): 30,
        ("array", 1): 31,
        ("array", 1, "name"): 32,
        ("array", 1, "child"): 33,
        ("array", 1, "child", "deep"): 34,
        ("table", "sub"): 35,
        ("table", "sub", "z"): 36,
    }


def test_windows_line_ends_count_as_one() -> None:
    assert lines_of("a = 1\r\n\r\n[b]\r\nc = 2\r\n") == {("a",): 1, ("b",): 3, ("b", "c"): 4}


def test_a_table_that_is_named_after_its_children_stands_on_its_own_line() -> None:
    assert lines_of("[a.b]\n[a]\n") == {("a",): 2, ("a", "b"): 1}


def paths(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    """The path of everything in a parsed document."""
    children: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    found = {path} if path else set()
    for key, child in children:
        found |= paths(child, (*path, key))
    return found


texts = st.text(st.sampled_from("ab\"'\\#[]{},=. \n"), max_size=6)


def basic(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def long_basic(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"""', '""\\"')
    return f'"""{escaped}"""' if not escaped.endswith('"') else f'"""{escaped[:-1]}\\""""'


def long_literal(text: str) -> str:
    return f"'''{text}'''" if "'" not in text else basic(text)


scalars = st.one_of(
    st.sampled_from(["1", "-0.5", "true", "1979-05-27 07:32:00", "inf"]),
    texts.map(basic),
    texts.map(long_basic),
    texts.map(long_literal),
)
keys = st.one_of(st.sampled_from(["a", "b-1", "2"]), texts.map(basic))


def arrays(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    glue = st.sampled_from([", ", ",\n", " # ] ,\n, "])
    return st.tuples(st.lists(values, max_size=3), glue).map(lambda pair: f"[ {pair[1].join(pair[0])} ]")


def tables(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.dictionaries(keys, values, max_size=3)
    return pairs.map(lambda each: "{ " + ", ".join(f"{key} = {value}" for key, value in each.items()) + " }")


values = st.recursive(scalars, lambda inner: arrays(inner) | tables(inner), max_leaves=6)
headers = st.tuples(st.sampled_from(["[{}]\n", "[[{}]]\n"]), st.lists(keys, min_size=1, max_size=3)).map(
    lambda pair: pair[0].format(" . ".join(pair[1]))
)
pairs = st.tuples(st.lists(keys, min_size=1, max_size=2), values).map(lambda pair: f"{'.'.join(pair[0])} = {pair[1]}\n")
blanks = st.sampled_from(["\n", "# [x] = \" '\n", "  \t\n"])


@settings(deadline=None, max_examples=300)
@given(st.lists(headers | pairs | blanks, max_size=8))
def test_the_same_keys_are_found_as_a_parser_finds_in_order_of_their_lines(parts: list[str]) -> None:
    document = ""
    for part in parts:
        try:
            tomli.loads(document + part)
        except tomli.TOMLDecodeError:
            continue
        document += part

    lines = key_lines(document)

    assert set(lines) == paths(tomli.loads(document))
    assert all(1 <= line <= document.count("\n") for line in lines.values())
