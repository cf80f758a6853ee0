"""A reference has a past from the start, whatever the feature table looks like."""

from datetime import timedelta

import polars as pl
import pytest

from trimtab.atoms.check import Verdict
from trimtab.atoms.content.reference import Reference
from trimtab.loop.monitor import CARD
from trimtab.loop.monitor.reference import MOST_BLOCKS, build_reference, span_name
from trimtab.rows.encoding import learn_encoding
from trimtab.testing.workbench import Workbench

DAY = timedelta(days=1)


def _built(world):
    return world.bench.store.read(world.reference, Reference)


def test_days_are_blocks_where_there_are_enough(world):
    """Sixty days of training are sixty blocks that add up to the whole."""
    reference = _built(world)
    assert [block.span for block in reference.blocks][:2] == ["2013-01-01", "2013-01-02"]
    assert len(reference.blocks) == 60
    for column in reference.whole.columns:
        parts = [block.column(column.name) for block in reference.blocks]
        assert sum(part.n for part in parts if part) == column.n
        assert sum(part.counts[0] for part in parts if part) == column.counts[0]
    assert not reference.blocks[0].columns[0].edges


def test_few_days_are_cut_finer(make_world):
    """Seven days: twenty blocks, so that the first window can be judged."""
    world = make_world(training_days=7, rows_a_day=600)
    assert [block.span for block in _built(world).blocks][-1] == "block-20"
    world.training_days = 7
    [window] = world.windows(1, lambda rows: rows.with_columns(x=pl.col("x") + 1.0))
    named = {check.about for check in world.drift(window).checks if check.verdict is Verdict.FAIL}
    assert "x" in named


def test_long_tables_keep_their_newest_blocks(make_world):
    """A year and more is a reference of ninety days, over bins of all rows."""
    reference = _built(make_world(training_days=120, rows_a_day=20))
    assert len(reference.blocks) == MOST_BLOCKS
    assert reference.whole.rows == 2400


@pytest.mark.parametrize("rows", [1, 5, 400])
def test_rows_without_time_are_cut_in_their_order(rows):
    """At most twenty blocks, none without a row."""
    bench = Workbench()
    frame = pl.DataFrame(
        {"x": [float(place) for place in range(rows)], "y": [place % 2 for place in range(rows)]}
    )
    table = bench.table("toy", frame, ("x",))
    bundle = bench.bundle("toy", bench.model("toy", frame, ("x",)), learn_encoding(frame, ("x",)))
    done = bench.run(
        CARD, "monitor", lambda work: build_reference(work, bundle_id=bundle, table_id=table, every=DAY)
    )
    reference = bench.store.read(done.first("reference").id, Reference)
    assert len(reference.blocks) == min(rows, 20)
    assert all(block.rows for block in reference.blocks)


def test_spans_are_named_by_their_start():
    """Days by their date, shorter windows to the minute."""
    assert span_name("2013-01-01T05:00:00.000000Z", DAY) == "2013-01-01"
    assert span_name("2013-01-01T05:00:00.000000Z", timedelta(hours=1)) == "2013-01-01T05:00Z"
