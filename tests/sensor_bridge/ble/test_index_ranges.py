from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sensor_bridge.ble.index_ranges import IndexRanges

EDITS = st.lists(st.tuples(st.booleans(), st.integers(0, 60), st.integers(-3, 25)), max_size=12)


@given(edits=EDITS, at=st.integers(0, 60), n=st.integers(0, 30))
@settings(derandomize=True, max_examples=150, deadline=None, database=None)
def test_behaves_as_a_set_of_indices(edits, at, n):
    ranges, reference = IndexRanges(), set()
    for is_added, first, length in edits:
        part = set(range(first, first + length))
        if is_added:
            assert ranges.add(first, first + length) == len(part - reference)
            reference |= part
        else:
            assert ranges.discard(first, first + length) == len(part & reference)
            reference -= part
        assert {index for a, b in ranges for index in range(a, b)} == reference
        assert ranges.size == len(reference)
        bounds = [bound for each in ranges for bound in each]
        assert bounds == sorted(set(bounds))  # disjoint, not touching, none empty
    window = set(range(at, at + n))
    assert ranges.count(at, at + n) == len(window & reference)
    assert {index for a, b in ranges.within(at, at + n) for index in range(a, b)} == window & reference


def test_counts_ranges_and_takes_some_at_first():
    ranges = IndexRanges([(5, 9), (0, 3), (8, 12)])
    assert (list(ranges), len(ranges), ranges.size) == ([(0, 3), (5, 12)], 2, 10)
