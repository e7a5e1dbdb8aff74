"""A small predictions folder, made without a model, with images, masks and a manifest."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mammoseg.data.manifest import Manifest, load_manifest
from mammoseg.data.predictions import Predictions
from mammoseg.io.read import read_image
from mammoseg.io.runs import made_by, save_prediction, write_run
from mammoseg.prep.config import PrepConfig
from mammoseg.records.grid import PixelGrid
from mammoseg.records.prediction import Patch, Prediction
from mammoseg.records.saliency import findings_of

SHAPE = (160, 120)
RUN = {"model": "glam", "checkpoint_sha256": "ab" * 32, "mammoseg": "0", "prep": PrepConfig().model_dump(mode="json")}


class Study:
    """`root`/images, `root`/masks, `root`/manifest.csv, `root`/predictions."""

    def __init__(self, root: Path) -> None:
        self.root, self.folder = root, root / "predictions"
        self.rows: list[dict[str, Any]] = []
        write_run(self.folder, RUN)

    def add(
        self,
        image_id: str,
        side: str = "L",
        view: str = "CC",
        exam_id: str = "e1",
        patient_id: str = "p1",
        points_right: bool | None = None,
        malignant: float = 0.9,
        label: int | str = 1,
        shape: tuple[int, int] = SHAPE,
        date: str = "",
        **changes: Any,
    ) -> Prediction:
        """An image whose breast lies at the chest wall with a bright spot, and a prediction with its peak in the spot."""
        to_right = side == "L" if points_right is None else points_right
        rows, columns = np.mgrid[: shape[0], : shape[1]]
        breast = ((rows - shape[0] / 2) / (0.45 * shape[0])) ** 2 + (columns / (0.8 * shape[1])) ** 2 <= 1
        spot = np.hypot(rows - 0.4 * shape[0], columns - 0.3 * shape[1]) < 0.08 * shape[0]
        noise = np.random.default_rng(len(self.rows)).integers(0, 200, shape)
        pixels = (np.where(breast, 1000 + noise + columns, 0) + 2000 * spot).astype(np.uint16)
        mask = spot.astype(np.uint8) * 255
        if not to_right:
            pixels, mask = pixels[:, ::-1], mask[:, ::-1]
        path, mask_path = self.root / "images" / f"{image_id}.png", self.root / "masks" / f"{image_id}.png"
        for file, content in ((path, pixels), (mask_path, mask)):
            file.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(file), content)
        maps = np.zeros((2, shape[0] // 4, shape[1] // 4), np.float32)
        distance = np.hypot(
            *(np.indices(maps.shape[1:]) - np.array([0.4 * shape[0] / 4, 0.3 * shape[1] / 4])[:, None, None])
        )
        maps[1] = malignant * np.exp(-((distance / 4) ** 2))
        maps[0] = 0.3 * np.exp(-(((distance - 12) / 3) ** 2))
        grid = PixelGrid(shape, shape, not to_right, 0, 0, *shape, shape)
        patch = Patch(shape[0] // 4, shape[1] // 8, 48, {"benign": 0.1, "malignant": 0.8}, 0.7)
        source = replace(read_image(path).source, pixel_mm=(0.5, 0.5))
        scores = {"benign": 0.2, "malignant": malignant}
        ids = (image_id, patient_id, exam_id, side, view)
        prediction = Prediction(*ids, scores, grid, {"saliency": maps}, (patch,), source=source, made_by=made_by(RUN))
        prediction = replace(prediction, **changes)
        prediction = replace(prediction, findings=findings_of(prediction))
        save_prediction(self.folder, prediction)
        row = {"patient_id": patient_id, "exam_id": exam_id, "image_id": image_id, "laterality": side, "view": view}
        mask_file = f"masks/{image_id}.png" if label == 1 else ""
        row |= {"path": f"images/{image_id}.png", "benign": 0, "malignant": label, "malignant_mask": mask_file}
        row["study_date"] = date
        self.rows.append(row)
        return prediction

    def manifest(self) -> Manifest:
        with (self.root / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(self.rows[0]))
            writer.writeheader()
            writer.writerows(self.rows)
        return load_manifest(self.root / "manifest.csv")

    def predictions(self, out: Path, truth: bool = False) -> Predictions:
        return Predictions(self.folder, self.manifest() if truth else None, out, step="report")
