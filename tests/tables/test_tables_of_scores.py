"""Tables 3 to 6: what is computed from scores and histories."""

import pytest

from gwsd.errors import DataError
from gwsd.tables import table3, table4, table5, table6

SYNTHETIC = "Synthetic: computed on the twin Earth"
ALL = ["precipitation", "soil_moisture", "temperature", "surface_pressure"]


def by(table, key):
    return {row[key]: row for row in table.rows}


def build3(summaries, histories, climate=ALL):
    return table3.build(summaries=summaries, histories=histories, climate_variables=climate, provenance_note=SYNTHETIC)


def test_table_3_prints_centimetres_and_the_papers_beside(summaries, histories):
    table = build3(summaries, histories)
    rows = by(table, "method")
    others = ["memory_1", "memory_12", "memory_3", "no_convlstm", "no_physics", "no_uncertainty"]
    assert list(rows) == ["nearest", "bilinear", "bicubic", "full", "residual", *others]
    full = rows["full"]
    assert full["mae_cm"] == pytest.approx(1.2)
    assert full["mae_sd_cm"] == pytest.approx(0.6)
    assert full["ratio_to_bilinear"] == pytest.approx(24.0)
    assert (full["paper_mae_cm"], full["paper_mae_sd_cm"], full["paper_r2"]) == (1.64, 0.85, 0.9983)
    assert all(row["physics"] is not None for row in table.rows)
    assert rows["bicubic"]["ratio_to_bilinear"] == 0.0


def test_table_3_shows_residual_before_training_and_full_cut_short(summaries, histories):
    table = build3(summaries, histories)
    residual = by(table, "method")["residual"]
    assert residual["ratio_to_bilinear"] == pytest.approx(0.9)
    assert residual["untrained_ratio_to_bilinear"] == pytest.approx(1.0)
    assert by(table, "method")["nearest"]["untrained_ratio_to_bilinear"] is None
    assert any("`full` had 384 of the paper's 15,000 steps" in note for note in table.notes)
    assert "ours, not the paper's" in table.markdown("C")


def test_table_3_of_a_whole_training_does_not_speak_of_one_cut_short(summaries, histories, a_history):
    histories["full"] = {0: a_history(epochs=30, steps=500)}
    assert not any("cut short" in note for note in build3(summaries, histories).notes)


def test_table_3_shows_the_spread_over_seeds_where_there_are_several(summaries, histories, a_summary):
    assert "Seeds" not in build3(summaries, histories).markdown("C")
    summaries["full"] = {0: a_summary("full"), 1: a_summary("full", 1.5)}
    table = build3(summaries, histories)
    full = by(table, "method")["full"]
    assert full["seeds"] == 2
    assert full["mae_cm"] == pytest.approx(1.5)
    assert full["mae_seed_sd_cm"] == pytest.approx(0.6 / 2**0.5)
    assert "Seeds" in table.markdown("C")


def test_table_3_names_the_method_that_is_missing(summaries, histories):
    del summaries["bilinear"]
    with pytest.raises(DataError, match="evaluation of 'bilinear' is missing; there are: bicubic, full"):
        build3(summaries, histories)


def build4(summaries, histories, **changes):
    model = {"temporal_encoder": "conv_lstm", "variance_head": True, "climate_variables": ALL} | changes
    return table4.build(
        summaries=summaries, histories=histories, model=model, loss={"physics_weight": 0.05}, provenance_note=SYNTHETIC
    )


def test_table_4_marks_the_rows_of_others(summaries, histories):
    table = build4(summaries, histories)
    rows = by(table, "method")
    for other in ("miro_famiglietti_2018", "data_assimilation"):
        assert rows[other]["source"] == rows[other]["data"] == "reported by the paper"
        assert rows[other]["mae_cm"] is None
    assert rows["full"]["source"] == "computed here"
    assert rows["full"]["mae_cm"] == pytest.approx(1.2)
    assert "data" not in rows["full"]
    assert f"computed here,1.2,yes,yes,yes,1.64,{SYNTHETIC}" in table.csv()
    assert "1.95,reported by the paper" in table.csv()


def test_table_4_reads_what_the_model_can_do_from_its_settings(summaries, histories):
    full = by(build4(summaries, histories, temporal_encoder="none", variance_head=False), "method")["full"]
    assert (full["physics"], full["temporal"], full["uncertainty"]) == (True, False, False)


def build5(histories, climate=ALL):
    return table5.build(histories=histories, climate_variables=climate, provenance_note=SYNTHETIC)


def test_table_5_takes_the_papers_epochs_or_the_nearest(histories):
    table = build5(histories)
    assert [(row["epoch"], row["paper_epoch"]) for row in table.rows] == [(0, None), (1, 1), (8, 10), (8, 30)]
    assert any("ran for 8 epochs" in note for note in table.notes)
    assert any("2.99" in note and "3.39" in note for note in table.notes)
    assert any("cannot come from its equation (12)" in note for note in table.notes)


def test_table_5_shows_both_signs_and_the_papers_terms(histories, a_history):
    histories["full"] = {0: a_history(epochs=30)}
    table = build5(histories)
    last = table.rows[-1]
    assert last["epoch"] == last["paper_epoch"] == 30
    assert last["validation_sign_as_written"] == pytest.approx(1 / 31)
    assert last["validation_sign"] == pytest.approx(2 / 31)
    assert last["training_physics"] == pytest.approx(6 / 30)
    assert (last["paper_sign"], last["paper_physics"]) == (1.02, 2.99)
    assert table.rows[0]["training_sign"] is None
    assert not any("nearest" in note for note in table.notes)


def test_table_5_averages_seeds_over_the_epochs_that_all_have(histories, a_history):
    histories["full"] = {0: a_history(epochs=30), 1: a_history(epochs=12, factor=3.0)}
    table = build5(histories)
    assert [row["epoch"] for row in table.rows] == [0, 1, 10, 12]
    assert table.rows[1]["validation_sign"] == pytest.approx((2 / 2 + 6 / 2) / 2)
    assert any("2 seeds" in note for note in table.notes)


def test_table_5_asks_for_the_training_of_full(histories, a_history):
    with pytest.raises(DataError, match="Train 'full' first"):
        build5({})
    with pytest.raises(DataError, match="no epoch after epoch 0"):
        build5({"full": {0: a_history(epochs=0)}})


def build6(summaries, histories, climate=ALL):
    return table6.build(summaries=summaries, histories=histories, climate_variables=climate, provenance_note=SYNTHETIC)


def test_table_6_with_one_seed_says_so_and_ranks_nothing(summaries, histories):
    table = build6(summaries, histories)
    assert table.notes[0].startswith("One seed, 384 of 15,000 steps. Differences between rows may be chance")
    assert [row["variant"] for row in table.rows] == ["full", "no_convlstm", "no_physics", "no_uncertainty"]
    assert table.rows[0]["change_percent"] is None
    assert table.rows[1]["change_percent"] == pytest.approx(25.0)
    assert table.rows[2]["change_percent"] == pytest.approx(-100.0 / 12.0)
    assert "−8.3" in table.markdown("C")
    assert "**" not in table.markdown("C").replace(f"**{SYNTHETIC}.**", "")
    assert "±" not in table.markdown("C").split("\n- ")[0]


def test_table_6_compares_seed_by_seed(summaries, histories, a_history, a_summary):
    summaries["full"] = {0: a_summary("full"), 1: a_summary("full", 2.0)}
    summaries["no_convlstm"] = {0: a_summary("no_convlstm"), 1: a_summary("no_convlstm", 2.0)}
    for variant in table6.VARIANTS:
        histories[variant] = {0: a_history(), 1: a_history()}
    table = build6(summaries, histories)
    row = by(table, "variant")["no_convlstm"]
    # Both seeds change by a quarter: the spread of the change is nil though that of the error is not.
    assert row["change_percent"] == pytest.approx(25.0)
    assert row["change_seed_sd_percent"] == pytest.approx(0.0, abs=1e-9)
    assert row["mae_seed_sd_cm"] > 0.5
    assert table.notes[0].startswith("Mean of 2 seeds, 384 of 15,000 steps. Where a ± stands")


def test_table_6_states_the_fewest_steps_of_the_seeds(summaries, histories, a_history):
    histories["no_physics"] = {0: a_history(epochs=5), 1: a_history(epochs=7)}
    assert by(build6(summaries, histories), "variant")["no_physics"]["steps"] == 5 * 48


def test_table_6_states_the_steps_of_variants_that_stopped_early(summaries, histories, a_history):
    histories["no_physics"] = {0: a_history(epochs=5)}
    assert build6(summaries, histories).notes[0].startswith("One seed, 240 to 384 of 15,000 steps")


def left_out(table):
    return [note for note in table.notes if "constraints are left out" in note]


def test_tables_of_a_whole_climate_leave_nothing_out(summaries, histories):
    tables = [build(summaries, histories) for build in (build3, build4, build6)]
    assert [left_out(table) for table in (*tables, build5(histories))] == [[]] * 4


def test_tables_without_soil_moisture_say_what_the_physics_loss_is(summaries, histories):
    climate = ["temperature", "precipitation"]
    tables = [build3(summaries, histories, climate), build4(summaries, histories, climate_variables=climate)]
    tables += [build5(histories, climate), build6(summaries, histories, climate)]
    for table in tables:
        assert left_out(table) == [table.notes[0]]
        assert "Because soil moisture is not among the climate variables, the magnitude (eq. 13)" in table.notes[0]
        assert not any(
            "magnitude and regional terms" in note or "and the regional term" in note for note in table.notes
        )
    assert any("“effectively infinite”" in note for note in tables[0].notes)
    assert by(tables[1], "method")["full"]["physics"] is True
    assert any("measured all the same" in note for note in tables[3].notes)


def test_tables_without_any_constraint_print_dashes_and_claim_no_physics(summaries, histories):
    for of_seeds in summaries.values():
        of_seeds[0]["physics"] = None
    for of_seeds in histories.values():
        of_seeds[0].loc[:, of_seeds[0].filter(regex="sign|magnitude|regional|physics").columns] = float("nan")
    climate = ["precipitation", "soil_moisture"]
    table = build3(summaries, histories, climate)
    assert {row["physics"] for row in table.rows} == {None}
    assert "| 12.000 |" not in table.markdown("C")
    assert table.markdown("C").count(" – |") > len(table.rows)
    assert not any("effectively infinite" in note for note in table.notes)
    table = build4(summaries, histories, climate_variables=climate)
    assert by(table, "method")["full"]["physics"] is False
    assert by(table, "method")["full"]["temporal"] is True
    table = build5(histories, climate)
    assert {row["validation_physics"] for row in table.rows} == {row["training_sign"] for row in table.rows} == {None}
    table = build6(summaries, histories, climate)
    assert "`full` and `no_physics` are trained alike" in table.notes[0]
    assert not any("measured all the same" in note for note in table.notes)
