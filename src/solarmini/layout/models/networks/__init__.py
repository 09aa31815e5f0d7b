"""Where the networks of this folder are, and the pixel statistics they were trained with."""

from pathlib import Path

NETWORKS = Path(__file__).parent
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
