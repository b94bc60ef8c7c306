"""A provider's document in an answer: as JSON only where it can be written as JSON again."""

from __future__ import annotations

import json

import pytest

from jobs.json_values import json_or_text


@pytest.mark.parametrize("text", ['{"a": [1, 2.5, null, "é"]}', "[]", "3", '"x"'])
def test_a_document_is_one(text: str) -> None:
    assert json_or_text(text) == json.loads(text)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[1e999]", "[-1e999]", "[NaN]", "[Infinity]", "[" * 20_000, f"[{'9' * 6000}]"],
)
def test_what_cannot_be_written_again_stays_the_text_that_it_is(text: str) -> None:
    assert json_or_text(text) == text


def test_whatever_depth_is_read_can_be_written_inside_an_answer() -> None:
    for depth in range(500, 1000, 7):
        found = json_or_text("[" * depth + "]" * depth)
        json.dumps({"outputs": {"complex": {"value": found}}}, allow_nan=False)
