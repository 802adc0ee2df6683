"""The headline: means, what is compared with what, and what is said first."""

import math
import re
from pathlib import Path

import pandas as pd
import pytest

from helpers.simulated import simulate
from video3d.common.errors import UserError
from video3d.common.settings import read_settings
from video3d.report import headline
from video3d.report.notices import collect_notices
from video3d.report.published import best_comparable, compare_with_published
from video3d.report.results import Run, read_run

NO_FAULTS = pd.DataFrame({"status": ["ok", "short"]})


@pytest.fixture(scope="module")
def run(full_size_run: Path) -> Run:
    settings = read_settings(str(full_size_run / "config.yaml"))
    evaluate = settings.evaluate.model_copy(update={"protocols": ["segments"]})
    return read_run(full_size_run, settings.model_copy(update={"evaluate": evaluate}))


@pytest.fixture(scope="module")
def subset(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("subset")
    return read_run(simulate(folder, classes=3, splits=(1, 2), seeds=(1,), given_weights={2: "given.pdparams"}))


def test_scores_are_those_of_the_table(run: Run) -> None:
    table = run.accuracy.query("protocol == 'segments'").set_index(["split", "seed"])["top1"]
    scores = {score.split: score for score in headline.collect_scores(run)}
    assert list(scores) == ["1", "2", "3", "mean"]
    assert scores["1"].top1 == pytest.approx(table["1"].sum() / 3)
    assert math.isnan(scores["1"].std_seeds)
    assert math.isnan(scores["1"].std_splits)
    splits = [scores[split].top1 for split in "123"]
    assert scores["mean"].top1 == pytest.approx(sum(splits) / 3)
    assert scores["mean"].std_splits == pytest.approx(pd.Series(splits).std(ddof=1))
    seeds = table.drop("mean").groupby("seed").mean()
    assert scores["mean"].std_seeds == pytest.approx(seeds.std(ddof=1))
    assert [scores[split].videos for split in scores] == [3783, 3734, 3696, 11213]


def test_columns_without_information_are_left_out(run: Run, subset: Run) -> None:
    titles = [[each["title"] for each in headline.score_columns(headline.collect_scores(of))] for of in (run, subset)]
    shared = ["protocol", "split", "top-1", "95 % interval"]
    assert titles[0] == [*shared, "std. over seeds", "std. over splits", "top-5", "mean class", "videos"]
    assert titles[1] == [*shared, "std. over splits", "mean class", "videos"]  # top-5 of 3 classes is always right


def test_the_best_comparable_number_is_of_the_protocol_if_there_is_one(run: Run, subset: Run) -> None:
    comparisons = compare_with_published(run, headline.collect_scores(run))
    assert best_comparable(comparisons, "segments").published.top1 == pytest.approx(1689 / 3783)
    assert best_comparable(compare_with_published(subset, headline.collect_scores(subset)), "segments") is None


def test_compares_only_what_is_comparable(run: Run) -> None:
    scores = headline.collect_scores(run)
    paper, published, recounted = compare_with_published(run, scores)
    assert paper.reason == "this run was not evaluated by the sliding protocol"
    split1 = scores[0]
    assert published.difference == pytest.approx(split1.top1 - 0.4398)
    assert recounted.difference == pytest.approx(split1.top1 - 1689 / 3783)
    assert recounted.noise == pytest.approx(2**0.5 * (split1.high - split1.low) / 2)
    assert recounted.beyond_noise == (abs(recounted.difference) > recounted.noise)


def test_a_subset_is_compared_with_nothing(subset: Run) -> None:
    assert {c.reason for c in compare_with_published(subset, headline.collect_scores(subset))} == {"other data"}


def test_what_is_said_first(subset: Run) -> None:
    audit = pd.DataFrame({"status": ["ok", "missing", "damaged", "short"]})
    said = collect_notices(subset, headline.collect_scores(subset), audit)
    assert said[0].startswith("SIMULATED")
    assert said[1:] == [
        "A subset of UCF101: 3 of 101 classes; guessing gives 33.3 %. Not comparable with published numbers.",
        "2 faulty videos were left out; the audit names them.",
        "Only 2 of the three official splits: 1, 2.",
        "Split 2, seed 1 was evaluated with given weights, not trained here: given.pdparams (SHA-256 000000000000…).",
    ]


def test_full_ucf101_needs_no_warning(run: Run) -> None:
    assert len(collect_notices(run, headline.collect_scores(run), NO_FAULTS)) == 1  # that it is simulated


def test_the_sentence_names_its_protocol(run: Run) -> None:
    scores = headline.collect_scores(run)
    sentence = headline.answer_sentence(scores, "segments")
    splits, seeds = (100 * value for value in (scores[-1].std_splits, scores[-1].std_seeds))
    assert (
        f"over 3 splits: {100 * scores[-1].top1:.1f} % "
        f"(standard deviation: {splits:.1f} % over the splits, {seeds:.1f} % over the seeds), 95 % interval" in sentence
    )
    assert "11,213 test videos, 3 seeds per split, segments protocol" in sentence


def test_the_sentence_about_one_seed_names_no_deviation_over_seeds(subset: Run) -> None:
    sentence = headline.answer_sentence(headline.collect_scores(subset), "segments")
    assert re.search(r"\(standard deviation: [\d.]+ % over the splits\), 95 % interval", sentence)


def test_missing_results_are_named(subset: Run, tmp_path: Path) -> None:
    folder = simulate(tmp_path, classes=3, seeds=(1,), protocols=("segments",))
    predictions = folder / "split2" / "seed1" / "segments" / "predictions.csv"
    predictions.write_text("video,group\n")
    with pytest.raises(UserError, match=r"split2/seed1/segments/predictions.csv has no column class, correct"):
        read_run(folder)
    predictions.unlink()
    with pytest.raises(UserError, match=r"split2/seed1/segments/predictions.csv does not exist"):
        read_run(folder)
