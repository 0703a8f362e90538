"""The input cut into shards, and what stands in it."""

from __future__ import annotations

import pytest

from emoscope.batch.items import BatchItem
from emoscope.batch.plan import BatchPlan
from emoscope.batch.shards import ShardCut
from emoscope.errors import AudioError, SourceNotFoundError


def items(count: int) -> list[BatchItem]:
    return [BatchItem(row, str(row), f"/in/{row}.wav", carried={"n": row}) for row in range(count)]


def planned(count: int, cut: ShardCut, seconds: float = 0.0) -> BatchPlan:
    return BatchPlan.of(items(count), cut, ["row"], lambda _item: seconds)


def test_what_a_plan_was_given_comes_back_in_order() -> None:
    given = items(25)
    given[3] = BatchItem(3, "x", "", error=AudioError("audio_damaged"), start_s=0.5)
    with BatchPlan.of(given, ShardCut(10), [], lambda _item: 0.0) as plan:
        assert plan.sizes == [10, 10, 5]
        back = [item for shard in plan.shards() for item in shard.items]
        assert [shard.index for shard in plan.shards()] == [0, 1, 2]
    assert [str(one.error) for one in back] == [str(one.error) for one in given]
    assert [one.carried for one in back] == [one.carried for one in given]
    assert [(one.row, one.id, one.path, one.start_s) for one in back] == [
        (one.row, one.id, one.path, one.start_s) for one in given
    ]


@pytest.mark.parametrize(("count", "size"), [(3, 8), (4_088, 8), (4_096, 16), (18_000, 64)])
def test_the_size_of_shards_follows_the_number_of_recordings(count: int, size: int) -> None:
    with planned(count, ShardCut()) as plan:
        assert set(plan.sizes[:-1]) <= {size}
        assert 0 < plan.sizes[-1] <= size
        assert sum(plan.sizes) == plan.rows == count
        last = plan.shard(len(plan) - 1)
        assert last.items[-1].row == count - 1


def test_shards_may_be_cut_by_hours() -> None:
    with planned(10, ShardCut(hours=1.0), seconds=1_500) as plan:
        assert plan.sizes == [2] * 5
    with planned(3, ShardCut(hours=0.1), seconds=1_500) as plan:
        assert plan.sizes == [1] * 3
    with planned(10, ShardCut(3, hours=9.0), seconds=1_500) as plan:
        assert plan.sizes == [3, 3, 3, 1]


def test_the_digest_is_of_the_rows() -> None:
    digests = set()
    for count in (5, 6):
        with planned(count, ShardCut()) as plan:
            digests.add(plan.digest)
    changed = items(5)
    changed[0] = BatchItem(0, "0", "/in/0.wav", carried={"n": 1})
    with BatchPlan.of(changed, ShardCut(), [], lambda _item: 0.0) as plan:
        digests.add(plan.digest)
    assert len(digests) == 3
    with planned(5, ShardCut(2)) as plan:
        assert plan.digest in digests


def test_no_rows_are_no_plan() -> None:
    with pytest.raises(SourceNotFoundError) as caught:
        planned(0, ShardCut())
    assert caught.value.code == "batch_input_empty"
