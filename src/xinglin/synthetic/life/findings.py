"""Measurements: vital signs and laboratory values consistent with the person's true state."""

from __future__ import annotations

from xinglin.synthetic.life.scribe import Body, Scribe
from xinglin.synthetic.vocabulary.terms import (
    ALT,
    ANAEMIA,
    BLOOD_COUNT,
    BMI,
    CHOLESTEROL,
    CREATININE,
    CRP,
    DIABETES,
    EX_SMOKER,
    GLUCOSE,
    HAEMOGLOBIN,
    HBA1C,
    HDL,
    HEART_RATE,
    HEIGHT,
    HYPERTENSION,
    LDL,
    LEUKOCYTES,
    LIPID_PANEL,
    METABOLIC_PANEL,
    NEVER_SMOKED,
    OXYGEN,
    PLATELETS,
    POTASSIUM,
    SMOKES,
    SMOKING,
    SODIUM,
    TEMPERATURE,
    TRIGLYCERIDE,
    WEIGHT,
)  # fmt: skip

__all__ = [
    "blood_count",
    "glucose",
    "lipids",
    "measure_body",
    "measure_pressure",
    "metabolic",
    "systolic",
    "temperature",
]


def systolic(body: Body, day: int) -> float:
    """A systolic pressure in mmHg: hypertension adds 26, or 10 once treated."""
    age = body.age(day)
    value = 112.0 + body.pressure + 0.30 * max(0.0, age - 30) + 0.6 * (body.course.body_mass - 24)
    if age < 16:
        value = 88.0 + 1.6 * age + body.pressure * 0.4
    if body.has(HYPERTENSION, day):
        treated = body.course.treated_from is not None and body.course.treated_from <= day
        value += 10.0 if treated else 26.0
    return value + body.rng.gauss(0, 6)


def measure_pressure(scribe: Scribe, day: int) -> None:
    """Blood pressure and heart rate."""
    scribe.pressure(systolic(scribe.body, day))
    scribe.find(HEART_RATE, str(int(scribe.body.rng.gauss(76, 9))), "/min")


def _size(body: Body, day: int) -> tuple[float, float]:
    """Height in cm and weight in kg; children grow until 17."""
    age = body.age(day)
    course = body.course
    if age >= 17:
        return course.height, course.body_mass * (course.height / 100) ** 2 + body.rng.gauss(0, 1.2)
    height = 50 + (course.height - 50) * (max(age, 0.02) / 17) ** 0.62
    return height, (15.2 + 0.3 * age) * (height / 100) ** 2


def measure_body(scribe: Scribe, day: int, smoking: bool) -> None:
    """Height, weight and body mass index; smoking status if asked."""
    body = scribe.body
    height, weight = _size(body, day)
    scribe.find(HEIGHT, f"{height:.1f}", "cm")
    scribe.find(WEIGHT, f"{weight:.1f}", "kg")
    scribe.find(BMI, f"{weight / (height / 100) ** 2:.1f}", "kg/m2")
    if smoking and body.age(day) >= 18:
        past = body.person.number % 11 == 3
        scribe.find(SMOKING, SMOKES if body.course.smokes else EX_SMOKER if past else NEVER_SMOKED)


def temperature(scribe: Scribe, fever: bool) -> None:
    """Body temperature and oxygen saturation."""
    rng = scribe.body.rng
    scribe.find(TEMPERATURE, f"{(38.3 if fever else 36.6) + rng.gauss(0, 0.35):.1f}", "Cel")
    scribe.find(OXYGEN, str(min(100, int(rng.gauss(97.6, 1.2)))), "%")


def glucose(scribe: Scribe, day: int, long_term: bool) -> None:
    """Glucose, and HbA1c if asked."""
    body = scribe.body
    ill = body.has(DIABETES, day)
    glucose = max(3.4, body.rng.gauss(8.4, 1.9) if ill else body.rng.gauss(5.1, 0.45))
    scribe.find(GLUCOSE, f"{glucose:.2f}", "mmol/L", 800)
    if long_term:
        value = max(4.2, body.rng.gauss(7.4, 1.0) if ill else body.rng.gauss(5.4, 0.28))
        scribe.find(HBA1C, f"{value:.1f}", "%", 6_500)


def lipids(scribe: Scribe, day: int) -> None:
    """Four lipids and their report."""
    body = scribe.body
    rng = body.rng
    ldl = max(0.6, body.course.ldl + rng.gauss(0, 0.22))
    if body.statin_from is not None and body.statin_from < day:
        ldl *= 0.62
    hdl = max(0.6, rng.gauss(1.32, 0.26))
    fat = max(0.4, rng.lognormvariate(0.35, 0.42))
    results = (
        scribe.find(CHOLESTEROL, f"{ldl + hdl + fat / 2.2:.2f}", "mmol/L", 700),
        scribe.find(LDL, f"{ldl:.2f}", "mmol/L", 1_200),
        scribe.find(HDL, f"{hdl:.2f}", "mmol/L", 900),
        scribe.find(TRIGLYCERIDE, f"{fat:.2f}", "mmol/L", 700),
    )
    scribe.report(LIPID_PANEL, results)


def metabolic(scribe: Scribe, day: int, liver: bool) -> None:
    """Creatinine, sodium, potassium, ALT if asked, and their report."""
    rng = scribe.body.rng
    male = scribe.body.person.sex == "male"
    creatinine = max(28.0, rng.gauss(78 if male else 62, 11) + max(0.0, scribe.body.age(day) - 60) * 0.5)
    results = [
        scribe.find(CREATININE, f"{creatinine:.0f}", "umol/L", 800),
        scribe.find(SODIUM, f"{rng.gauss(140, 2.2):.0f}", "mmol/L", 500),
        scribe.find(POTASSIUM, f"{rng.gauss(4.2, 0.32):.1f}", "mmol/L", 500),
    ]
    if liver:
        results.append(scribe.find(ALT, f"{max(5.0, rng.lognormvariate(3.05, 0.45)):.0f}", "U/L", 800))
    scribe.report(METABOLIC_PANEL, tuple(results))


def blood_count(scribe: Scribe, infected: bool) -> None:
    """White cells, haemoglobin, platelets and their report; C reactive protein if infected."""
    rng = scribe.body.rng
    haemoglobin = rng.gauss(151 if scribe.body.person.sex == "male" else 134, 9)
    if ANAEMIA in scribe.known:
        haemoglobin -= 38
    results = (
        scribe.find(LEUKOCYTES, f"{max(2.0, rng.gauss(11.8 if infected else 6.4, 1.6)):.1f}", "10*9/L", 700),
        scribe.find(HAEMOGLOBIN, f"{max(60.0, haemoglobin):.0f}", "g/L", 700),
        scribe.find(PLATELETS, f"{max(60.0, rng.gauss(232, 48)):.0f}", "10*9/L", 700),
    )
    scribe.report(BLOOD_COUNT, results)
    if infected:
        scribe.find(CRP, f"{rng.lognormvariate(3.1, 0.6):.1f}", "mg/L", 2_000)
