import numpy as np
import pytest
import torch

from gwsd.evaluation.statistics import cell_statistics, weighted_means
from gwsd.methods.method import Prediction

SHAPE = (3, 1, 8, 8)


def fields(seed=0):
    draw = np.random.Generator(np.random.PCG64(seed))
    target = torch.from_numpy(draw.normal(10, 50, SHAPE).astype(np.float32))
    mean = target + torch.from_numpy(draw.normal(1, 5, SHAPE).astype(np.float32))
    sd = torch.from_numpy(draw.uniform(1, 9, SHAPE).astype(np.float32))
    valid = torch.from_numpy(draw.uniform(size=SHAPE) < 0.7)
    return target, mean, sd, valid


def test_means_are_those_of_a_loop_over_cells():
    target, mean, sd, valid = fields()
    means = weighted_means(cell_statistics(Prediction(mean, sd), target), valid)
    for patch in range(SHAPE[0]):
        errors, hits, squares, products = [], [], [], []
        for row in range(SHAPE[2]):
            for column in range(SHAPE[3]):
                at = (patch, 0, row, column)
                if valid[at]:
                    error = float(mean[at]) - float(target[at])
                    errors.append(error)
                    squares.append(error * error)
                    hits.append(abs(error) <= 1.6448536269514722 * float(sd[at]))
                    products.append(abs(error) * float(sd[at]))
        assert float(means["error"][patch]) == pytest.approx(np.mean(errors))
        assert float(means["absolute_error"][patch]) == pytest.approx(np.mean(np.abs(errors)))
        assert float(means["squared_error"][patch]) == pytest.approx(np.mean(squares))
        assert float(means["hit"][patch]) == pytest.approx(np.mean(hits))
        assert float(means["sd_absolute_error"][patch]) == pytest.approx(np.mean(products))


def test_a_prediction_without_a_standard_deviation_has_no_statistic_of_one():
    target, mean, _, _ = fields()
    assert set(cell_statistics(Prediction(mean), target)) == {
        "error",
        "absolute_error",
        "squared_error",
        "target",
        "target_squared",
    }


def test_weights_by_area_take_the_same_path():
    target, mean, _, valid = fields()
    area = torch.linspace(0.1, 1.0, 8)[:, None].expand(SHAPE)
    means = weighted_means(cell_statistics(Prediction(mean), target), area * valid)
    expected = np.average((mean - target).abs()[1, 0].numpy(), weights=(area * valid)[1, 0].numpy())
    assert float(means["absolute_error"][1]) == pytest.approx(float(expected), rel=1e-6)


def test_what_stands_in_invalid_cells_does_not_matter():
    target, mean, sd, valid = fields()
    clean = weighted_means(cell_statistics(Prediction(mean, sd), target), valid)
    holes = torch.where(valid, mean, torch.nan)
    broken = weighted_means(cell_statistics(Prediction(holes, sd), target), valid)
    assert all(torch.equal(clean[name], broken[name]) for name in clean)


def test_a_patch_without_valid_cells_has_no_score():
    target, mean, _, valid = fields()
    valid[2] = False
    means = weighted_means(cell_statistics(Prediction(mean), target), valid)
    assert torch.isnan(means["absolute_error"]).tolist() == [False, False, True]
