"""Head phantom: skull, brain, ventricles and a lesion of known position and size.

Coordinates are millimetres in the patient coordinate system of DICOM (PS3.3 C.7.6.2.1.1): x to the left, y to the
back, z to the head. Hounsfield units are textbook values: brain 25 to 40, cerebrospinal fluid 5, fresh blood 60 to 70.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["FIRST_SLICE", "PIXELS", "SLICE_STEP", "SPACING", "Lesion", "draw_lesion", "head_slices"]

PIXELS, SPACING = 128, 1.8
FIRST_SLICE, SLICE_STEP = -55.0, 10.0
_CORNER = -(PIXELS - 1) / 2 * SPACING
_SKULL, _INSIDE, _WHITE = (74.0, 94.0, 78.0), (67.0, 87.0, 71.0), (58.0, 77.0, 62.0)
_VENTRICLES = ((-13.0, -4.0, 8.0), (13.0, -4.0, 8.0), (7.0, 26.0, 13.0))
_STRETCH = (0.9, 1.25, 0.89)


@dataclass(frozen=True)
class Lesion:
    """The lesion of a head study.

    Args:
        ischaemic: True for an infarct, False for a haemorrhage.
        centre: x, y, z in mm.
        radius: Radius in mm of the sphere with the ellipsoid's volume.
    """

    ischaemic: bool
    centre: tuple[float, float, float]
    radius: float

    @property
    def side(self) -> str:
        """``left`` or ``right`` of the patient."""
        return "left" if self.centre[0] > 0 else "right"

    @property
    def semi_axes(self) -> tuple[float, float, float]:
        """Semi-axes of the ellipsoid, in mm."""
        return tuple(self.radius * factor for factor in _STRETCH)  # type: ignore[return-value]


def draw_lesion(ischaemic: bool, severity: int, rng: Random) -> Lesion:
    """Draw a lesion for a stroke: larger for a higher NIHSS; infarcts near the cortex, haemorrhages deep.

    Args:
        ischaemic: True for an infarct, False for a haemorrhage.
        severity: NIHSS, 0 to 42.
        rng: Random stream of the study.

    Example:
        >>> 8 < draw_lesion(True, 6, Random(1)).radius < 30
        True
    """
    volume = (2_500 + 2_200 * severity) * (0.8 + 0.4 * rng.random())
    radius = min(27.0, (0.75 / 3.141592653589793 * volume) ** (1 / 3))
    across = 40.0 + 4 * rng.random() if ischaemic else 27.0 + 4 * rng.random()
    side = 1.0 if rng.random() < 0.5 else -1.0
    centre = (side * across, -12 + 24 * rng.random(), -8 + 26 * rng.random())
    return Lesion(ischaemic, (round(centre[0], 1), round(centre[1], 1), round(centre[2], 1)), round(radius, 1))


def _ellipsoid(grid: Any, centre: tuple[float, float, float], axes: tuple[float, float, float]) -> Any:
    """Normalised distance of each voxel from an ellipsoid's centre; below 1 is inside."""
    return sum(((along - middle) / half) ** 2 for along, middle, half in zip(grid, centre, axes, strict=True))


def head_slices(modality: str, lesion: Lesion, slices: int, seed: int) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    """The slices of a study.

    Args:
        modality: CT (stored values are Hounsfield units plus 1024) or MR (diffusion-weighted, no unit).
        lesion: The lesion to show.
        slices: Number of slices, from `FIRST_SLICE` upwards.
        seed: Seed of the noise, 32 bits.

    Returns:
        Stored values and the lesion's mask, both of shape (slices, rows, columns).

    Example:
        >>> pixels, mask = head_slices("CT", Lesion(False, (28.0, 0.0, 5.0), 15.0), 12, 1)
        >>> pixels.shape, int(pixels[mask].mean()) - 1024 > 55
        ((12, 128, 128), True)
    """
    import numpy as np

    line = _CORNER + SPACING * np.arange(PIXELS)
    z = (FIRST_SLICE + SLICE_STEP * np.arange(slices))[:, None, None]
    grid = (line[None, None, :], line[None, :, None], z)
    skull, inside = _ellipsoid(grid, (0, 0, 0), _SKULL) < 1, _ellipsoid(grid, (0, 0, 0), _INSIDE) < 1
    white = _ellipsoid(grid, (0, 0, 0), _WHITE) < 1
    left, right, axes = _VENTRICLES
    ventricles = (_ellipsoid(grid, left, axes) < 1) | (_ellipsoid(grid, right, axes) < 1)
    mask = (_ellipsoid(grid, lesion.centre, lesion.semi_axes) < 1) & inside & ~ventricles
    # RandomState gives the same numbers in all versions of NumPy; a Generator may not.
    noise = np.random.RandomState(seed).standard_normal(mask.shape)
    if modality == "CT":
        tissue = np.where(white, 28.0, 37.0)
        tissue[mask] = 17.0 if lesion.ischaemic else 65.0
        values = (
            np.where(inside, np.where(ventricles, 6.0, tissue), np.where(skull, 820.0, -1000.0)) + 3.5 * noise + 1024
        )
    else:
        tissue = np.where(white, 300.0, 360.0)
        tissue[mask] = 640.0 if lesion.ischaemic else 140.0
        values = np.where(inside, np.where(ventricles, 90.0, tissue), np.where(skull, 40.0, 8.0)) + 14.0 * noise
    return np.clip(np.rint(values), 0, 65_535).astype(np.uint16), mask
