"""Datasets: annotations and pixels from files. Nothing heavy is imported here."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "COCODataSet": "detection",
        "ImageDataset": "image_dataset",
        "ImageFolder": "image_folder",
        "KeypointBottomUpCocoDataset": "bottom_up_coco",
        "KeypointTopDownCocoDataset": "coco_top_down",
        "KeypointTopDownCocoWholeBodyHandDataset": "hand",
        "KeypointTopDownMPIIDataset": "mpii",
        "MOTDataSet": "mot",
        "MOTImageFolder": "mot_sequences",
        "TopDownDataset": "top_down_dataset",
    },
)
