"""Blood cells: red ones that touch, white ones and small platelets, found by a network trained from scratch."""

from __future__ import annotations

from benchmarks.claims import Claim, Figure, Skipped
from benchmarks.public import bccd
from ganglion.algorithms.detection_cnn import DetectionCNN
from ganglion.errors import InvalidFile
from ganglion.evaluation.evaluate import evaluate

SETTINGS = {
    "epochs": 60,
    "augmentation": "flip(vertical=True) + affine(degrees=0, zoom=0.25, shift=0.1) + color",
    "random_state": 0,
}


def claim() -> Claim:
    """Train once on the official training part; the figure is mAP@0.5 on the official test part."""
    try:
        X, y = bccd("train")
        X_test, y_test = bccd("test")
    except InvalidFile as error:
        raise Skipped(str(error)) from error
    model = DetectionCNN(**SETTINGS).fit(X, y)
    metrics = evaluate(model, X_test, y_test, baselines=False).model.metrics
    found = metrics["map_50"]
    by_class = ", ".join(f"{name} {metrics[f'ap_50_{name}'].value:.3f}" for name in model.classes_)
    return Claim(
        name="bccd_detector",
        data="BCCD, 640 × 480 pixels scaled to 320 × 240: trained on the 205 pictures of train.txt, measured on the 72 "
        "of test.txt; the 87 of val.txt served to choose the options, and were not trained on.",
        settings=f"DetectionCNN({', '.join(f'{name}={value!r}' for name, value in SETTINGS.items())}), all else as it "
        f"comes, from random weights. AP@0.5: {by_class}; mAP@[.5:.95] {metrics['map_50_95']}. Interval: bootstrap "
        "over the test pictures.",
        reference="Published runs of YOLO and Faster R-CNN on BCCD, begun from networks trained on COCO or ImageNet: "
        "mAP@0.5 of 0.85 to 0.92.",
        figures=[Figure("mAP@0.5", found.value, found.low, found.high, target=0.85, paper="0.85-0.92")],
        details={"epochs": len(model.history_), "seconds": model.history_.rows[-1]["seconds"]},
    )
