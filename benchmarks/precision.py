"""Whether bfloat16 costs skill: the same trainings in both precisions, over several seeds.

    python benchmarks/precision.py --results results/demo --variants full residual --seeds 0 1 2

Reads the inputs and patches of a scenario that has run. The difference between the precisions is set beside the spread
between the seeds. The table goes to the screen and to results/benchmarks/precision.json.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from gwsd.config import derive_seed
from gwsd.doctor import read_documents
from gwsd.losses import LossSettings
from gwsd.patches.files import open_cube
from gwsd.training.devices import lease_device
from gwsd.training.loop import train
from gwsd.training.settings import TrainingSettings

PRECISIONS = ("float32", "bfloat16")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("results/demo"), help="a scenario's folder")
    parser.add_argument("--variants", nargs="+", default=["full", "residual"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--config", nargs="*", type=Path, default=[], help="files laid over config.yaml")
    parser.add_argument("--epochs", type=int, help="instead of the scenario's")
    parser.add_argument("--out", type=Path, default=Path("results/benchmarks/precision.json"))
    options = parser.parse_args()
    if not (options.results / "patches/normalisation.json").is_file():
        parser.error(f"{options.results} has no inputs and patches yet; run snakemake first, or name another folder")
    settings = read_documents(Path.cwd(), options.config).settings(options.results.name)
    files = {name: options.results / "inputs" / f"{name}.nc" for name in ("storage", "climate", "mask")}
    normalisation = json.loads((options.results / "patches/normalisation.json").read_text())
    tables = [pd.read_csv(options.results / f"patches/{split}.csv") for split in ("train", "validation")]
    found: dict[str, dict[str, list[float]]] = {}
    with lease_device(settings.training.device, report=print) as device:
        cube = open_cube(
            *files.values(), normalisation=normalisation, variables=settings.climate_variables, device=device
        )
        for variant in options.variants:
            found[variant] = {precision: [] for precision in PRECISIONS}
            for replicate in options.seeds:
                for precision in PRECISIONS:
                    with tempfile.TemporaryDirectory() as folder:
                        result = train(
                            cube,
                            *tables,
                            size=settings.patches.size,
                            checkpoint_dir=Path(folder),
                            seed=derive_seed(settings.seed, "training", replicate),
                            device=device,
                            report=lambda line: None,
                            **chosen(settings.variant(variant), precision, options.epochs),
                        )
                    best = result.history.set_index("epoch").loc[result.best_epoch]
                    found[variant][precision].append(float(best["val_mae_mm"]))
                    print(
                        f"{variant}, seed {replicate}, {precision}: validation MAE {best['val_mae_mm']:.4f} mm "
                        f"(epoch {result.best_epoch}, {result.timing['seconds_per_step']:.3f} s a step)",
                        flush=True,
                    )
    print(f"\n{'validation MAE, mm':20}{'float32':>18}{'bfloat16':>18}{'difference':>12}{'seed spread':>13}")
    for variant, by_precision in found.items():
        means = [statistics.mean(by_precision[precision]) for precision in PRECISIONS]
        spreads = [spread(by_precision[precision]) for precision in PRECISIONS]
        cells = "".join(f"{mean:10.4f} ± {sd:.4f}" for mean, sd in zip(means, spreads, strict=True))
        print(f"{variant:20}{cells}{means[1] - means[0]:+12.4f}{spreads[0]:13.4f}")
    report = {"device": str(device), "torch": torch.__version__, "seeds": options.seeds, "val_mae_mm": found}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\n{options.out}")


def spread(values: list[float]) -> float:
    """Return the standard deviation between seeds; NaN for a single one."""
    return statistics.stdev(values) if len(values) > 1 else float("nan")


def chosen(variant: dict[str, Any], precision: str, epochs: int | None) -> dict[str, Any]:
    """Return a variant's model, loss and training settings with the precision changed on both kinds of device."""
    training = dict(variant["training"])
    training["engine"] = {kind: {**engine, "precision": precision} for kind, engine in training["engine"].items()}
    training["epochs"] = epochs or training["epochs"]
    return {
        "model": variant["model"],
        "loss": LossSettings(**variant["loss"]),
        "training": TrainingSettings(**training),
    }


if __name__ == "__main__":
    main()
