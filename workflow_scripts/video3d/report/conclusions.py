"""What the numbers say, in words: the conclusions at the top of the report, and the finding of every chart."""

from collections.abc import Sequence

import pandas as pd

from video3d.report import analysis
from video3d.report.headline import Score, percent, points
from video3d.report.published import PublishedComparison
from video3d.report.results import Run


def draw_conclusions(
    run: Run, answer: Score, classes: pd.DataFrame, comparisons: Sequence[PublishedComparison]
) -> list[str]:
    """Return the conclusions of a run in sentences.

    Args:
        run: the run.
        answer: its score by the first protocol, of the mean of its splits.
        classes: as from `analysis.class_accuracy`.
        comparisons: published numbers beside ours; of those that cannot be compared nothing is said here.
    """
    confidence = run.first_predictions["top1_probability"].mean()
    said = [
        judge_chance(answer, len(run.class_names)),
        judge_gap(training_top1(run), answer),
        describe_classes(classes),
        judge_confidence(confidence, answer),
        *judge_published(comparisons),
    ]
    return [sentence for sentence in said if sentence]


def training_top1(run: Run) -> float | None:
    """Return top-1 of the clips of the last epoch of training, mean over the networks.

    None unless all evaluated networks were trained in this run, on clips that are each of one class.
    """
    mixed = any(run.trainings[key]["train"].get(name) for key in run.trainings for name in ("mixup", "cutmix"))
    if mixed or not run.trainings or len(run.trainings) < len(run.models):
        return None
    return float(run.history.sort_values("epoch").groupby(["split", "seed"])["top1"].last().mean())


def judge_chance(answer: Score, num_classes: int) -> str:
    """Return whether the network is better than guessing."""
    chance = percent(1 / num_classes)
    if answer.low > 1 / num_classes:
        return f"Better than guessing, which gives {chance}."
    return f"Not shown to be better than guessing: that gives {chance}, and the 95 % interval reaches it."


def judge_gap(training: float | None, answer: Score) -> str:
    """Return whether the network overfits: whether its `training` accuracy is above the interval of its test accuracy.

    Empty if the training accuracy is None.
    """
    if training is None:
        return ""
    numbers = f"training {percent(training)} of the clips of the last epoch, test {percent(answer.top1)} of the videos"
    if training > answer.high:
        return f"Overfits by {100 * (training - answer.top1):.0f} points: {numbers}."
    return f"No overfitting is seen: {numbers}."


def describe_classes(classes: pd.DataFrame) -> str:
    """Return the worst class with what it is taken for, and the best; `classes` is as from `class_accuracy`."""
    best, worst = classes.iloc[0], classes.iloc[-1]
    if worst["top1"] == 1:
        return "No test video was wrong."
    mistaken = f", most often taken for {worst['taken_for']} ({percent(worst['taken_for_share'])})"
    bottom = f"Worst class: {worst['class']}, {percent(worst['top1'])} of {worst['videos']} videos{mistaken}"
    return f"{bottom}; best: {best['class']}, {percent(best['top1'])}."


def judge_confidence(confidence: float, answer: Score) -> str:
    """Return whether the network is too sure, or not sure enough; empty if its mean `confidence` is in the interval."""
    if answer.low <= confidence <= answer.high:
        return ""
    what = "Too sure" if confidence > answer.high else "Too cautious"
    return (
        f"{what}: by the probabilities that it gives, {percent(confidence)} of its answers would be right; "
        f"{percent(answer.top1)} are."
    )


def judge_published(comparisons: Sequence[PublishedComparison]) -> list[str]:
    """Return from which published numbers ours differs by more than the noise, and with which it agrees.

    Of numbers that cannot be compared with ours nothing is said.
    """
    said = []
    for beyond, words in ((True, "Differs by more than the noise from"), (False, "Agrees within the noise with")):
        those = [each for each in comparisons if each.difference is not None and each.beyond_noise == beyond]
        names = [
            f"{each.published.name} ({percent(each.published.top1)}: {points(each.difference)} ± "
            f"{100 * each.noise:.1f} points)"
            for each in those
        ]
        said += [f"{words} {'; '.join(names)}."] if names else []
    return said


def describe_charts(
    run: Run, answer: str, tables: dict[str, pd.DataFrame], by: dict[str, pd.DataFrame]
) -> dict[str, str]:
    """Return the finding of every chart in a sentence, by the chart's name.

    Args:
        run: the run.
        answer: the answer in a sentence.
        tables: the tables of the page, by name.
        by: accuracies by group and by length, as from `analysis.accuracy_by`.
    """
    calibration = analysis.calibration(run.first_predictions)
    return {
        "headline": answer,
        "accuracy": answer,
        "learning_curves": describe_curves(run.history),
        "calibration": f"Expected calibration error {percent(analysis.calibration_error(calibration))}: over "
        f"{len(run.first_predictions):,} predictions the mean probability of the predicted class is "
        f"{percent(run.first_predictions['top1_probability'].mean())}, and "
        f"{percent(run.first_predictions['correct'].mean())} are right.",
        "class_accuracy": describe_classes(tables["class_accuracy"]),
        "confusion": describe_confusion(tables["confused_pairs"]),
        "groups_and_lengths": " ".join(describe_spread(table, key) for key, table in by.items()),
        "cost": describe_cost(tables["stages"]),
    }


def describe_curves(history: pd.DataFrame) -> str:
    """Return where training loss and accuracy began and where they ended, mean over splits and seeds."""
    if history.empty:
        return "The evaluated weights were not trained in this run."
    means = history.groupby("epoch")[["loss", "top1"]].mean()
    first, last = means.iloc[0], means.iloc[-1]
    return (
        f"From epoch {means.index[0]} to epoch {means.index[-1]} the training loss goes from {first['loss']:.2f} to "
        f"{last['loss']:.2f}, and top-1 of the training clips from {percent(first['top1'])} to {percent(last['top1'])}."
    )


def describe_confusion(pairs: pd.DataFrame) -> str:
    """Return the most frequent confusion of a table as from `analysis.confused_pairs`."""
    if pairs.empty:
        return "No class was taken for another."
    pair = pairs.iloc[0]
    return (
        f"Most frequent confusion: {pair['class']} is taken for {pair['predicted_class']} in {percent(pair['share'])} "
        f"of its videos, the other way round in {percent(pair['reverse'])}."
    )


def describe_spread(table: pd.DataFrame, key: str) -> str:
    """Return between which accuracies the points of a table as from `analysis.accuracy_by` lie."""
    if table.empty:
        return f"By {key}: left out, as its points have too few videos."
    return f"By {key}, accuracy is between {percent(table['top1'].min())} and {percent(table['top1'].max())}."


def describe_cost(stages: pd.DataFrame) -> str:
    """Return the time of all stages, the longest of them and the GPU-hours; `stages` ends with their total."""
    if len(stages) < 2:
        return "No time was measured."
    longest = stages.iloc[:-1].sort_values("seconds").iloc[-1]
    total = stages.iloc[-1]
    gpu = "no GPU was used" if total["gpu_hours"].startswith("none") else f"{total['gpu_hours']} GPU-hours"
    return f"Computed in {total['time']} hours, of which {longest['rule']} took {longest['time']}; {gpu}."


def describe_differences(differences: pd.DataFrame) -> str:
    """Return the paired difference to each other run; `differences` is as from `difference_table`."""
    return " ".join(
        f"To run {row['run']} by {row['protocol']}: {points(row['difference'])} points (95 % interval "
        f"{points(row['low'])} to {points(row['high'])})."
        for _, row in differences.iterrows()
    )
