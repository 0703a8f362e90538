from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from emoscope.inference.batch_plan import MAX_PADDING_SHARE, plan

lengths_lists = st.lists(st.integers(400, 2_000_000), max_size=60) | st.lists(
    st.integers(9_000, 11_000), max_size=60
)
budgets = st.integers(1, 3_000_000)


@given(lengths_lists, budgets)
def test_every_clip_is_in_exactly_one_batch(lengths: list[int], budget: int) -> None:
    batches = plan(lengths, max_padded_samples=budget)

    assert sorted(position for batch in batches for position in batch) == list(range(len(lengths)))
    assert all(batches)


@given(lengths_lists, budgets)
def test_a_batch_keeps_its_budget_or_is_one_clip(lengths: list[int], budget: int) -> None:
    """Memory follows the padded size, not the sum of the clips."""
    for batch in plan(lengths, max_padded_samples=budget):
        padded = len(batch) * max(lengths[position] for position in batch)
        assert padded <= budget or len(batch) == 1


@given(lengths_lists, budgets)
def test_little_of_a_batch_is_padding(lengths: list[int], budget: int) -> None:
    for batch in plan(lengths, max_padded_samples=budget):
        longest = max(lengths[position] for position in batch)
        for position in batch:
            assert longest - lengths[position] <= (MAX_PADDING_SHARE + 1e-6) * longest


@given(lengths_lists, budgets)
def test_longest_first_and_the_same_every_time(lengths: list[int], budget: int) -> None:
    """The first batch is the largest, so too little memory shows at once and not after an hour."""
    batches = plan(lengths, max_padded_samples=budget)
    in_order = [lengths[position] for batch in batches for position in batch]

    assert in_order == sorted(lengths, reverse=True)
    assert batches == plan(lengths, max_padded_samples=budget)


def test_alike_clips_do_share_a_batch() -> None:
    """One clip per batch would keep every invariant above and be of no use."""
    assert plan([16_000] * 8, max_padded_samples=16_000 * 4) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert plan([100, 95, 89, 50], max_padded_samples=1_000) == [[0, 1], [2], [3]]
    assert plan([], max_padded_samples=1_000) == []
