"""How long `mammoseg evaluate` takes on generated tables: of 10,000 images with 2,000 replicates, and of 1,000,000 rows.

    python benchmarks/evaluate_speed.py FOLDER [--rows 10000] [--replicates 2000]

Four images of each patient, two views of each breast; a twentieth of the breasts is positive. Prints the seconds of the command
as a whole (its start, reading, writing and figures among them) and its largest memory.
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd


def write_table(path: Path, rows: int, seed: int = 0) -> None:
    """A table with a row for each image, columns as in a manifest and `score`."""
    rng = np.random.default_rng(seed)
    n = np.arange(rows)
    breast = rng.random(rows // 2 + 1) < 0.05
    truth = breast[n // 2]
    score = 1 / (1 + np.exp(2 - 1.5 * truth - rng.normal(size=rows // 4 + 1)[n // 4] - rng.normal(size=rows)))
    table = pd.DataFrame({"patient_id": n // 4, "laterality": np.where(n // 2 % 2, "R", "L"), "image_id": n})
    table = table.assign(view=np.where(n % 2, "MLO", "CC"), malignant=truth.astype(int), score=score.round(6))
    table.assign(density=rng.choice(list("ABCD"), rows // 4 + 1)[n // 4]).to_csv(path, index=False)


def main() -> None:
    """Write the table, run the command, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--by", action="append", default=[])
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    table = args.folder / f"scores_{args.rows}.csv"
    write_table(table, args.rows)
    command = [sys.executable, "-c", "from mammoseg.cli.main import main; main()", "evaluate", "--table", str(table)]
    command += ["--score", "score", "--label", "malignant", "--bootstrap", str(args.replicates)]
    command += [
        "--out",
        str(args.folder / f"metrics_{args.rows}"),
        *(part for name in args.by for part in ("--by", name)),
    ]
    start = time.perf_counter()
    subprocess.run(command, check=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"{args.rows} rows, {args.replicates} replicates: {time.perf_counter() - start:.1f} s, of which "
        f"{used.ru_utime + used.ru_stime:.1f} s on a processor, {used.ru_maxrss / 1e6:.2f} GB"
    )


if __name__ == "__main__":
    main()
