"""Hazard model: risk factors of stroke, of its recurrence, and of death.

Hazards are yearly and proportional (Cox 1972): within a year that begins with the states x, the chance of an event is
1 - exp(-h(x)), with h(x) = base times the product of the ratios that apply. The numbers are invented, of the order
that cohort studies report (for instance Wolf et al. 1991, Stroke 22:312; O'Donnell et al. 2010, Lancet 376:112).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import exp, pow
from typing import NamedTuple

__all__ = ["HazardModel", "State", "hazards_document"]


class State(NamedTuple):
    """State of a person at the beginning of a year.

    Args:
        age: In years.
        male: Sex.
        hypertension: Has it.
        treated: Takes drugs against it.
        diabetes: Has it.
        atrial_fibrillation: Has it.
        anticoagulated: Takes an anticoagulant.
        smoker: Smokes.
        ldl: LDL cholesterol in mmol/L.
        had_stroke: Has had one within the record.
    """

    age: float
    male: bool
    hypertension: bool
    treated: bool
    diabetes: bool
    atrial_fibrillation: bool
    anticoagulated: bool
    smoker: bool
    ldl: float
    had_stroke: bool


@dataclass(frozen=True)
class HazardModel:
    """Yearly baselines and the ratios that multiply them.

    Args:
        stroke_base: First stroke, a woman of 60 without any risk factor, LDL 3.0 mmol/L.
        per_decade: Ratio for ten years of age.
        male: Ratio for men.
        hypertension: Ratio for untreated hypertension.
        hypertension_treatment: Further ratio if it is treated.
        diabetes: Ratio for type 2 diabetes.
        atrial_fibrillation: Ratio for atrial fibrillation.
        anticoagulation: Further ratio if atrial fibrillation is treated.
        smoking: Ratio for current smokers.
        ldl_per_mmol: Ratio for each mmol/L of LDL above 3.0.
        recurrence_first_year: Chance of another stroke in the year after one.
        recurrence_later: Chance in each later year.
        ischaemic_share: Share of strokes that are ischaemic.
        ischaemic_fatality: Chance of dying within 30 days of an ischaemic stroke.
        haemorrhagic_fatality: Chance of dying within 30 days of a haemorrhagic stroke.
        death_base: Hazard of death extrapolated to age 0.
        death_per_year: Exponent of age (Gompertz 1825).
        death_smoking: Ratio of death for smokers.
        death_diabetes: Ratio of death for diabetes.
        death_stroke: Ratio of death after a stroke.

    Example:
        >>> model = HazardModel()
        >>> calm = State(60, False, False, False, False, False, False, False, 3.0, False)
        >>> round(model.stroke(calm._replace(hypertension=True)) / model.stroke(calm), 2)
        2.8
    """

    stroke_base: float = 0.0022
    per_decade: float = 1.9
    male: float = 1.25
    hypertension: float = 2.8
    hypertension_treatment: float = 0.6
    diabetes: float = 1.8
    atrial_fibrillation: float = 3.5
    anticoagulation: float = 0.4
    smoking: float = 1.7
    ldl_per_mmol: float = 1.25
    recurrence_first_year: float = 0.09
    recurrence_later: float = 0.035
    ischaemic_share: float = 0.80
    ischaemic_fatality: float = 0.10
    haemorrhagic_fatality: float = 0.32
    death_base: float = 0.000036
    death_per_year: float = 0.088
    death_smoking: float = 1.5
    death_diabetes: float = 1.5
    death_stroke: float = 1.9

    def stroke(self, state: State) -> float:
        """Yearly hazard of a first stroke."""
        hazard = self.stroke_base * pow(self.per_decade, (state.age - 60) / 10)
        hazard *= pow(self.ldl_per_mmol, state.ldl - 3.0)
        if state.male:
            hazard *= self.male
        if state.hypertension:
            hazard *= self.hypertension
            if state.treated:
                hazard *= self.hypertension_treatment
        if state.diabetes:
            hazard *= self.diabetes
        if state.atrial_fibrillation:
            hazard *= self.atrial_fibrillation
            if state.anticoagulated:
                hazard *= self.anticoagulation
        return hazard * self.smoking if state.smoker else hazard

    def death(self, state: State) -> float:
        """Yearly hazard of death from anything but a recent stroke."""
        hazard = self.death_base * exp(self.death_per_year * state.age)
        if state.smoker:
            hazard *= self.death_smoking
        if state.diabetes:
            hazard *= self.death_diabetes
        return hazard * self.death_stroke if state.had_stroke else hazard


def hazards_document(model: HazardModel) -> dict[str, object]:
    """The hazard model as JSON, for ``truth/hazards.json``."""
    return {
        "event": "first stroke inside the recorded years",
        "model": "P(event in a year) = 1 - exp(-stroke_base * product of ratios), states taken at the year's beginning;"
        " a person's years begin on the first recorded day, or on the day of birth if that is later",
        "reference": "a woman of 60 years, LDL 3.0 mmol/L, none of the risk factors",
        "values": asdict(model),
    }
