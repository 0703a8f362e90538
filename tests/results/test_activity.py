"""Speech activity per channel, against a count of moments."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.labels import EMOTIONS, SILENCE
from emoscope.results.activity import Channel, channel_activity
from emoscope.results.segments import Segment

moments = st.lists(st.booleans(), min_size=20, max_size=20)
"""Whether there is speech in each tenth of a second; true beside true is one segment or two."""


def segments(speaks: list[bool]) -> list[Segment]:
    return [
        Segment(at / 10, (at + 1) / 10, EMOTIONS[at % 9] if one else SILENCE, 0.5)
        for at, one in enumerate(speaks)
    ]


@given(st.lists(moments, min_size=1, max_size=4))
def test_shares_are_those_of_the_moments(tracks: list[list[bool]]) -> None:
    who = channel_activity([segments(track) for track in tracks], 2.0)

    speaks = np.array(tracks)
    several = speaks.sum(axis=0) > 1
    assert [one.talk_share for one in who.channels] == pytest.approx(speaks.mean(axis=1))
    assert [one.overlap_share for one in who.channels] == pytest.approx(
        (speaks & several).mean(axis=1)
    )
    assert who.overlap_share == pytest.approx(several.mean())
    assert who.silence_share == pytest.approx(1 - speaks.any(axis=0).mean())
    assert [(one.number, one.count) for one in who.channels] == [
        (at + 1, len(tracks)) for at in range(len(tracks))
    ]


@given(moments, moments)
def test_two_channels_share_their_time(left: list[bool], right: list[bool]) -> None:
    who = channel_activity([segments(left), segments(right)], 2.0)
    swapped = channel_activity([segments(right), segments(left)], 2.0)

    one, other = who.channels
    assert one.overlap_share == other.overlap_share == who.overlap_share
    assert one.talk_share + other.talk_share - who.overlap_share + who.silence_share == (
        pytest.approx(1)
    )
    assert [it.talk_share for it in swapped.channels] == [other.talk_share, one.talk_share]
    assert swapped.overlap_share == who.overlap_share


def test_a_channel_comes_back_from_its_dict() -> None:
    channel = Channel(2, 2, 0.4, 0.1)

    assert Channel.from_dict(channel.to_dict()) == channel
