from video3d.training.randomness import generator


def test_random_numbers_depend_on_seed_epoch_and_video_only():
    assert generator(1, 2, "v").random() == generator(1, 2, "v").random()
    draws = {generator(*key).random() for key in [(1, 2, "v"), (2, 2, "v"), (1, 3, "v"), (1, 2, "w"), (12, 2, "v")]}
    assert len(draws) == 5
