"""The phantom: lesions that fit a stroke, and slices that show them."""

from __future__ import annotations

from random import Random

import pytest

from xinglin.synthetic.imaging.phantom import PIXELS, Lesion, draw_lesion, head_slices


def test_graver_strokes_have_larger_lesions() -> None:
    mild = [draw_lesion(True, 3, Random(turn)).radius for turn in range(50)]
    grave = [draw_lesion(True, 25, Random(turn)).radius for turn in range(50)]
    assert max(mild) < min(grave)


def test_infarcts_lie_further_out_than_haemorrhages() -> None:
    infarcts = [abs(draw_lesion(True, 8, Random(turn)).centre[0]) for turn in range(50)]
    bleedings = [abs(draw_lesion(False, 8, Random(turn)).centre[0]) for turn in range(50)]
    assert min(infarcts) > max(bleedings)


def test_both_sides_are_struck() -> None:
    assert {draw_lesion(True, 8, Random(turn)).side for turn in range(50)} == {"left", "right"}


@pytest.mark.parametrize(
    ("modality", "ischaemic", "expected"), [("CT", True, 17), ("CT", False, 65), ("MR", True, 640), ("MR", False, 140)]
)
def test_lesions_have_the_value_of_their_kind(modality: str, ischaemic: bool, expected: int) -> None:
    pixels, mask = head_slices(modality, Lesion(ischaemic, (40.0, 0.0, 5.0), 14.0), 12, 7)
    assert pixels.shape == mask.shape == (12, PIXELS, PIXELS)
    shown = pixels[mask].mean() - (1024 if modality == "CT" else 0)
    assert shown == pytest.approx(expected, abs=2)


def test_bone_air_and_liquor_have_their_hounsfield_units() -> None:
    pixels, _ = head_slices("CT", Lesion(True, (40.0, 0.0, 5.0), 5.0), 12, 7)
    middle = pixels[6].astype(int) - 1024
    assert middle[0, 0] < -980
    assert middle.max() > 780
    assert -8 < middle[PIXELS // 2 - 2, PIXELS // 2 + 7] < 20


def test_the_lesion_stays_in_the_head() -> None:
    pixels, mask = head_slices("CT", Lesion(True, (62.0, 0.0, 5.0), 25.0), 12, 7)
    assert pixels[mask].max() - 1024 < 100
