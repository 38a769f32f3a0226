"""Tables 1 to 8, built from made-up results."""

import pytest

from tests.artifacts.toy_results import build, rows, settings_of, write_method, write_results


@pytest.fixture
def root(tmp_path):
    write_results(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def demo():
    return settings_of()


def test_table_1_at_the_papers_settings_equals_the_papers(root):
    found = rows(build("table1", root, settings_of("paper")))
    assert found["conv_lstm"]["parameters"] == 452_096
    assert sum(found[part]["parameters"] for part in ("encoder", "bottleneck", "decoder")) == 7_738_624
    assert found["heads"]["parameters"] == 130
    assert found["parameters"]["parameters"] == 8_190_850
    for component in set(found) - {"bottleneck", "climate", "epochs"}:
        assert found[component]["configuration"] == found[component]["paper_configuration"], component
    assert found["bottleneck"]["configuration"] == "512 channels"


def test_table_1_describes_the_climate_and_the_loss_of_its_scenario(root):
    found = rows(build("table1", root, settings_of(climate=["precipitation", "temperature"])))
    assert found["climate"]["configuration"] == "2 variables: precipitation, temperature"
    assert found["loss_weights"]["configuration"] == "phys=0.05 (sign only), smooth=0.01"
    parts = ("conv_lstm", "encoder", "bottleneck", "decoder", "heads")
    assert sum(found[part]["parameters"] for part in parts) == found["parameters"]["parameters"]


def test_table_2_counts_months_cells_and_patches(root, demo):
    found = rows(build("table2", root, demo))
    assert found["temporal_coverage"]["value"] == "2002-2003"
    assert found["months"]["value"] == 4
    assert found["months"]["description"] == "of 10 calendar months; 6 are absent"
    assert found["valid_cells"]["value"] == 20
    assert (found["valid_cells"]["paper_value"], found["months"]["paper_value"]) == (57_503, 225)
    assert [found[f"{split}_patches"]["value"] for split in ("train", "validation", "test")] == [5, 4, 2]
    assert found["train_patches"]["description"] == "32×32 coarse cells; 3 enter constraints on ΔG"
    assert found["overlap"]["value"] == pytest.approx(25.0)
    assert found["overlap"]["description"].startswith("20 of 80 cells and months")
    assert found["target_resolution"]["value"] == "0.125°"
    found = rows(build("table2", root, settings_of(climate=["temperature"])))
    assert found["climate_variables"]["value"] == 1
    assert found["train_patches"]["description"] == "32×32 coarse cells; 0 enter constraints on ΔG"


def test_table_3_prints_centimetres_next_to_the_papers(root, demo):
    table = build("table3", root, demo)
    found = rows(table)
    assert list(found) == ["nearest", "bilinear", "bicubic", "full", "residual"]
    full = found["full"]
    assert (full["mae_cm"], full["mae_sd_cm"]) == pytest.approx((1.2, 0.6))
    assert full["ratio_to_bilinear"] == pytest.approx(24.0)
    assert full["untrained_ratio_to_bilinear"] == pytest.approx(50.0)
    assert (full["paper_mae_cm"], full["paper_mae_sd_cm"], full["paper_r2"]) == (1.64, 0.85, 0.9983)
    assert found["residual"]["untrained_ratio_to_bilinear"] == pytest.approx(1.0)
    assert found["nearest"]["untrained_ratio_to_bilinear"] is None
    assert found["bicubic"]["ratio_to_bilinear"] == 0.0
    assert all(row["physics"] is not None for row in found.values())
    assert any("`full` had 384 of the paper's 15,000 steps" in note for note in table.notes)
    assert "ours, not the paper's" in table.markdown("C")
    write_method(root, "full", epochs=30, steps=500)
    assert not any("cut short" in note for note in build("table3", root, demo).notes)


def test_table_3_shows_the_spread_over_seeds_if_there_are_several(root, demo):
    assert "Seeds" not in build("table3", root, demo).markdown("C")
    write_method(root, "full", seed=1, factor=1.5)
    table = build("table3", root, demo)
    full = rows(table)["full"]
    assert full["seeds"] == 2
    assert full["mae_cm"] == pytest.approx(1.5)
    assert full["mae_seed_sd_cm"] == pytest.approx(0.6 / 2**0.5)
    assert "Seeds" in table.markdown("C")


def test_table_4_marks_the_rows_of_others(root, demo):
    table = build("table4", root, demo)
    found = rows(table)
    for other in ("miro_famiglietti_2018", "data_assimilation"):
        assert found[other]["source"] == found[other]["data"] == "reported by the paper"
        assert found[other]["mae_cm"] is None
    assert "computed here,1.2,yes,yes,yes,1.64,synthetic: made up" in table.csv()
    assert "1.95,reported by the paper" in table.csv()
    no_physics = rows(build("table4", root, settings_of(climate=["precipitation", "soil_moisture"])))["full"]
    assert (no_physics["physics"], no_physics["temporal"], no_physics["uncertainty"]) == (False, True, True)


def test_table_5_compares_the_papers_epochs_with_the_nearest(root, demo):
    table = build("table5", root, demo)
    assert [(row["epoch"], row["paper_epoch"]) for row in table.rows] == [(0, None), (1, 1), (8, 10), (8, 30)]
    assert list(rows(table)) == ["before_training", "epoch_1", "epoch_10", "epoch_30"]
    assert any("ran for 8 epochs" in note for note in table.notes)
    write_method(root, "full", epochs=30)
    table = build("table5", root, demo)
    last = rows(table)["epoch_30"]
    assert last["epoch"] == last["paper_epoch"] == 30
    assert last["validation_sign_as_written"] == pytest.approx(1 / 31)
    assert last["training_physics"] == pytest.approx(6 / 30)
    assert (last["paper_sign"], last["paper_physics"]) == (1.02, 2.99)
    assert rows(table)["before_training"]["training_sign"] is None
    assert not any("nearest" in note for note in table.notes)


def test_table_5_averages_seeds_over_the_epochs_that_all_have(root, demo):
    write_method(root, "full", epochs=30)
    write_method(root, "full", seed=1, epochs=12, factor=3.0)
    table = build("table5", root, demo)
    assert [row["epoch"] for row in table.rows] == [0, 1, 10, 12]
    assert rows(table)["epoch_1"]["validation_sign"] == pytest.approx((2 / 2 + 6 / 2) / 2)
    assert any("2 seeds" in note for note in table.notes)


def test_table_6_with_one_seed_ranks_nothing(root, demo):
    table = build("table6", root, demo)
    assert table.notes[0].startswith("One seed, 384 of 15,000 steps. Differences between rows may be chance")
    found = rows(table)
    assert [row["label"] for row in found.values()][:2] == ["Full model", "Without ConvLSTM"]
    assert found["full"]["change_percent"] is None
    assert found["no_convlstm"]["change_percent"] == pytest.approx(25.0)
    assert "−8.3" in table.markdown("C")
    assert "±" not in table.markdown("C").split("\n- ")[0]


def test_table_6_compares_seed_by_seed(root, demo):
    for variant in ("full", "no_convlstm", "no_physics", "no_uncertainty"):
        write_method(root, variant, seed=1, factor=2.0)
    table = build("table6", root, demo)
    found = rows(table)["no_convlstm"]
    # Both seeds change by a quarter: the change has no spread though the error has.
    assert found["change_percent"] == pytest.approx(25.0)
    assert found["change_seed_sd_percent"] == pytest.approx(0.0, abs=1e-9)
    assert found["mae_seed_sd_cm"] > 0.5
    assert table.notes[0].startswith("Mean of 2 seeds, 384 of 15,000 steps. A ± is")


def test_table_6_gives_the_fewest_steps_of_variants_that_stopped_early(root, demo):
    write_method(root, "no_physics", epochs=5)
    write_method(root, "no_physics", seed=1, epochs=7)
    table = build("table6", root, demo)
    assert rows(table)["no_physics"]["steps"] == 5 * 48
    assert table.notes[0].startswith("One seed, 240 to 384 of 15,000 steps")


def test_table_7_orders_full_by_its_months(root, demo):
    table = build("table7", root, demo)
    found = rows(table)
    assert [(row["variant"], row["memory_months"]) for row in table.rows][2:] == [("full", 6), ("memory_12", 12)]
    assert found["full"]["measured_training_minutes"] == pytest.approx(1.0)
    assert found["full"]["paper_training_hours"] == 40.0
    assert "Trained on A processor; cpu, 1 thread;" in table.notes[-1]


def test_table_8_extrapolates_and_marks_the_papers_rows(root, demo):
    table = build("table8", root, demo)
    found = rows(table)
    full = found["full"]
    assert full["measured_training_hours"] == pytest.approx(60.0 / 3600.0)
    assert full["measured_hours_for_paper_steps"] == pytest.approx(60.0 / 384 * 15_000 / 3600.0)
    assert full["measured_inference_minutes"] == pytest.approx(0.02 * 450 / 60.0)
    assert full["hardware"] == "A processor; cpu, 1 thread"
    assert found["bilinear"]["measured_training_hours"] is None
    papers = [row for row in found.values() if row["source"] == "reported by the paper"]
    assert [row["paper_training_hours"] for row in papers] == ["40", "240+", "12", "28"]
    assert all(row["data"] == "reported by the paper" and row["measured_training_hours"] is None for row in papers)


def test_a_new_variant_appears_in_the_table_of_its_group(root):
    settings = settings_of(
        variants={
            "no_smoothness": {"group": "component", "loss": {"smoothness_weight": 0.0}},
            "memory_9": {"group": "memory", "model": {"history_months": 9}},
            "wide": {"group": "ours", "label": "Twice as wide", "model": {"lstm_channels": 16}},
        }
    )
    for name in ("no_smoothness", "memory_9", "wide"):
        write_method(root, name, mae=10.0)
    found = rows(build("table6", root, settings))
    assert list(found)[-1] == "no_smoothness"
    assert found["no_smoothness"]["label"] == "Without smoothness"
    assert list(rows(build("table7", root, settings))) == ["memory_1", "memory_3", "full", "memory_9", "memory_12"]
    assert rows(build("table3", root, settings))["wide"]["label"] == "Twice as wide"


def test_tables_name_the_constraints_that_the_climate_does_not_allow(root, demo):
    sign_only = build("table8", root, settings_of(climate=["temperature", "precipitation"]))
    assert sign_only.notes[0].startswith("Because soil moisture is not among the climate variables, the magnitude")
    assert not any("left out, in training" in note for note in build("table8", root, demo).notes)
