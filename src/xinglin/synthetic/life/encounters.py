"""Ordinary visits: minor illness, follow-up of lasting conditions, check-ups, vaccines, emergencies."""

from __future__ import annotations

from typing import NamedTuple

from xinglin.synthetic.life.findings import (
    blood_count,
    glucose,
    lipids,
    measure_body,
    measure_pressure,
    metabolic,
    systolic,
    temperature,
)  # fmt: skip
from xinglin.synthetic.life.scribe import Scribe
from xinglin.synthetic.streams import below
from xinglin.synthetic.vocabulary.codes import Concept
from xinglin.synthetic.vocabulary.terms import (
    ACETAMINOPHEN,
    ADMISSION,
    ALBUTEROL,
    ALLOPURINOL,
    AMLODIPINE,
    AMOXICILLIN,
    ANAEMIA,
    ANKLE_SPRAIN,
    APPENDECTOMY,
    APPENDICITIS,
    ASPIRIN,
    ASTHMA,
    ATRIAL_FIBRILLATION,
    AZITHROMYCIN,
    BONE_IMMOBILISATION,
    BRONCHITIS,
    CHECK_UP,
    CHEST,
    CHEST_REPORT,
    CHEST_X_RAY,
    CLOPIDOGREL,
    COPD,
    CORONARY_DISEASE,
    CORONARY_INTERVENTION,
    CYSTITIS,
    DEMENTIA,
    DEPRESSION,
    DIABETES,
    DIGOXIN,
    DISCHARGE_SUMMARY,
    DONEPEZIL,
    ECG,
    EMERGENCY,
    ENOXAPARIN,
    FLUTICASONE,
    FOLLOW_UP,
    FOREARM_FRACTURE,
    GASTRITIS,
    GLUCOSE_METER,
    GOUT,
    HIP_FRACTURE,
    HIP_REPLACEMENT,
    HYDROCHLOROTHIAZIDE,
    HYPERLIPIDAEMIA,
    HYPERTENSION,
    HYPOTHYROIDISM,
    IBUPROFEN,
    INFARCTION,
    INSULIN,
    IRON,
    KNEE_OSTEOARTHRITIS,
    LEVOTHYROXINE,
    LISINOPRIL,
    LOSARTAN,
    METFORMIN,
    MIGRAINE,
    NAPROXEN,
    NITROFURANTOIN,
    NITROGLYCERIN,
    OMEPRAZOLE,
    OTITIS,
    PACEMAKER,
    PACEMAKER_IMPLANTATION,
    PHARYNGITIS,
    PNEUMONIA,
    PROBLEM,
    SERTRALINE,
    SIMVASTATIN,
    SINUSITIS,
    STENT,
    STREP_THROAT,
    SYMPTOM,
    TROPONIN,
    TSH,
    WARFARIN,
)  # fmt: skip

__all__ = ["EMERGENCIES", "check_up", "emergency", "follow_up", "minor_illness", "vaccinate"]


class _Minor(NamedTuple):
    concept: Concept
    weight: float
    from_age: int
    to_age: int
    fever: bool
    days: int
    drugs: tuple[tuple[Concept, int, int, int], ...]


_MINOR = (
    _Minor(PHARYNGITIS, 18, 0, 120, True, 9, ((ACETAMINOPHEN, 5, 3, 40),)),
    _Minor(SINUSITIS, 16, 2, 120, False, 14, ((IBUPROFEN, 7, 3, 60),)),
    _Minor(BRONCHITIS, 14, 0, 120, True, 12, ((ACETAMINOPHEN, 5, 3, 40), (AZITHROMYCIN, 5, 1, 450))),
    _Minor(STREP_THROAT, 6, 3, 120, True, 10, ((AMOXICILLIN, 10, 3, 160),)),
    _Minor(OTITIS, 5, 0, 14, True, 10, ((AMOXICILLIN, 7, 3, 160),)),
    _Minor(CYSTITIS, 6, 16, 120, False, 7, ((NITROFURANTOIN, 5, 2, 260),)),
    _Minor(ANKLE_SPRAIN, 6, 8, 120, False, 28, ((NAPROXEN, 10, 2, 90),)),
    _Minor(GASTRITIS, 10, 16, 120, False, 21, ((OMEPRAZOLE, 14, 1, 180),)),
    _Minor(MIGRAINE, 5, 12, 120, False, 2, ((IBUPROFEN, 3, 3, 60),)),
    _Minor(GOUT, 4, 30, 120, False, 14, ((NAPROXEN, 7, 2, 90), (ALLOPURINOL, 30, 1, 50))),
    _Minor(ANAEMIA, 5, 14, 120, False, 120, ((IRON, 60, 1, 40),)),
)

# Drugs of the lasting conditions: term, doses a day, price of a day in fen.
_LASTING: dict[Concept, tuple[tuple[Concept, int, int], ...]] = {
    HYPERTENSION: ((AMLODIPINE, 1, 80), (LISINOPRIL, 1, 90), (LOSARTAN, 1, 160), (HYDROCHLOROTHIAZIDE, 1, 20)),
    DIABETES: ((METFORMIN, 2, 120), (METFORMIN, 2, 120), (INSULIN, 2, 700)),
    ATRIAL_FIBRILLATION: ((WARFARIN, 1, 60),),
    HYPERLIPIDAEMIA: ((SIMVASTATIN, 1, 150),),
    CORONARY_DISEASE: ((ASPIRIN, 1, 30), (NITROGLYCERIN, 1, 90)),
    COPD: ((ALBUTEROL, 2, 210),),
    ASTHMA: ((FLUTICASONE, 2, 330), (ALBUTEROL, 2, 210)),
    KNEE_OSTEOARTHRITIS: ((NAPROXEN, 2, 90),),
    DEPRESSION: ((SERTRALINE, 1, 190),),
    HYPOTHYROIDISM: ((LEVOTHYROXINE, 1, 45),),
    DEMENTIA: ((DONEPEZIL, 1, 520),),
}

EMERGENCIES = (FOREARM_FRACTURE, APPENDICITIS, PNEUMONIA, HIP_FRACTURE, INFARCTION)


def minor_illness(scribe: Scribe, start: int) -> None:
    """A minor illness: diagnosis, examination, one or two drugs."""
    body, day = scribe.body, start // 1440
    age = body.age(day)
    fitting = [illness for illness in _MINOR if illness.from_age <= age <= illness.to_age]
    rest = body.rng.random() * sum(illness.weight for illness in fitting)
    chosen = fitting[-1]
    for illness in fitting:
        rest -= illness.weight
        if rest < 0:
            chosen = illness
            break
    visit = scribe.open("AMB", SYMPTOM, start, 15 + below(body.rng, 30), 2_500)
    scribe.known.pop(chosen.concept, None)
    length = max(1, int(chosen.days * (0.6 + 0.8 * body.rng.random())))
    visit.reason = scribe.diagnose(chosen.concept, day - below(body.rng, 4), day + length)
    temperature(scribe, chosen.fever)
    if age >= 40:
        scribe.pressure(systolic(body, day))
    if chosen.concept is ANAEMIA or (chosen.fever and body.rng.random() < 0.35):
        blood_count(scribe, infected=chosen.fever)
    for drug, days, daily, price in chosen.drugs:
        scribe.order(drug, days, daily, visit.reason, price)


def follow_up(scribe: Scribe, start: int) -> None:
    """Follow-up of lasting conditions: each is recorded once per site, its drugs are prescribed again."""
    body, day = scribe.body, start // 1440
    visit = scribe.open("AMB", FOLLOW_UP, start, 20 + below(body.rng, 25), 2_000)
    begun = [concept for concept, since in body.course.onset.items() if since <= day]
    for concept in begun:
        found = scribe.diagnose(concept, body.course.onset[concept], None)
        visit.reason = visit.reason or found
        _treat(scribe, concept, day)
    measure_pressure(scribe, day)
    if DIABETES in scribe.known:
        glucose(scribe, day, long_term=True)
        if body.rng.random() < 0.06:
            scribe.hand_out(GLUCOSE_METER, 18_000)
    if HYPERLIPIDAEMIA in scribe.known and body.rng.random() < 0.4:
        lipids(scribe, day)
    if body.rng.random() < 0.3:
        metabolic(scribe, day, liver=False)
    if HYPOTHYROIDISM in scribe.known:
        scribe.find(TSH, f"{max(0.2, body.rng.lognormvariate(1.1, 0.5)):.2f}", "m[IU]/L", 4_000)
    if ATRIAL_FIBRILLATION in scribe.known:
        _rhythm(scribe)


def _treat(scribe: Scribe, concept: Concept, day: int) -> None:
    """Prescribe the drug of a lasting condition, if it has one."""
    body = scribe.body
    drugs = _LASTING.get(concept)
    if drugs is None:
        return
    if concept is HYPERTENSION and (body.course.treated_from is None or body.course.treated_from > day):
        return
    found = scribe.known[concept]
    drug, daily, price = drugs[body.person.number % len(drugs)]
    if concept is ATRIAL_FIBRILLATION:
        since = body.course.anticoagulated_from
        if since is None or since > day:
            drug, daily, price = DIGOXIN, 1, 30
    if concept is HYPERLIPIDAEMIA:
        body.statin_from = body.statin_from or day
    scribe.order(drug, 90, daily, found, price)


def _rhythm(scribe: Scribe) -> None:
    """An electrocardiogram; in hospital sometimes a pacemaker."""
    found = scribe.known[ATRIAL_FIBRILLATION]
    if scribe.body.rng.random() < 0.3:
        scribe.operate(ECG, 10, found, 3_000)
    if scribe.site.kind == "hospital" and scribe.body.rng.random() < 0.015:
        device = scribe.hand_out(PACEMAKER, 2_600_000)
        scribe.operate(PACEMAKER_IMPLANTATION, 20, found, 800_000, device)


def check_up(scribe: Scribe, start: int) -> None:
    """A check-up; examination centres measure most."""
    body, day = scribe.body, start // 1440
    thorough = scribe.site.kind == "exam-centre" or body.rng.random() < 0.4
    scribe.open("AMB", CHECK_UP, start, 40 + below(body.rng, 60), 6_000)
    measure_body(scribe, day, smoking=True)
    age = body.age(day)
    if age < 3:
        return
    measure_pressure(scribe, day)
    if age < 18:
        return
    if thorough:
        glucose(scribe, day, long_term=body.has(DIABETES, day))
        lipids(scribe, day)
        metabolic(scribe, day, liver=True)
        blood_count(scribe, infected=False)
    for concept in (HYPERTENSION, DIABETES, HYPERLIPIDAEMIA):
        if body.has(concept, day):
            scribe.diagnose(concept, body.course.onset[concept], None)


def vaccinate(scribe: Scribe, start: int, vaccines: tuple[Concept, ...]) -> None:
    """A visit for vaccines."""
    scribe.open("AMB", PROBLEM, start, 20, 1_000)
    for vaccine in vaccines:
        scribe.give(vaccine, 6_000)


def emergency(scribe: Scribe, start: int, concept: Concept) -> None:
    """An emergency other than a stroke: the emergency room, then the ward if needed."""
    body, day = scribe.body, start // 1440
    visit = scribe.open("EMER", EMERGENCY, start, 180, 15_000)
    scribe.known.pop(concept, None)
    found = scribe.diagnose(concept, day, day + {FOREARM_FRACTURE: 60, HIP_FRACTURE: 120}.get(concept, 21))
    visit.reason = found
    measure_pressure(scribe, day)
    temperature(scribe, concept in (PNEUMONIA, APPENDICITIS))
    blood_count(scribe, concept in (PNEUMONIA, APPENDICITIS))
    if concept is FOREARM_FRACTURE:
        scribe.operate(BONE_IMMOBILISATION, 40, found, 20_000)
        scribe.order(IBUPROFEN, 10, 3, found, 60)
        return
    if concept is INFARCTION:
        scribe.find(TROPONIN, f"{body.rng.lognormvariate(0.9, 0.8):.2f}", "ng/mL", 6_000)
        scribe.operate(ECG, 10, found, 3_000)
    if concept is PNEUMONIA:
        scribe.operate(CHEST_X_RAY, 10, found, 8_000)
        scribe.image(
            ("DX", CHEST, 2, "Chest radiograph"), CHEST_REPORT, "Consolidation of the right lower lobe.", 3_000
        )
    _stay(scribe, visit.end + 5, visit.number, concept)


def _stay(scribe: Scribe, start: int, previous: int, concept: Concept) -> None:
    """The stay on a ward."""
    rng = scribe.body.rng
    days = 3 + int(rng.expovariate(1 / 4.0))
    end = max(start + 120, min(start + days * 1440 - 400, scribe.body.last_day * 1440 + 1439))
    found = scribe.known[concept]
    visit = scribe.open("IMP", ADMISSION, start, end - start, 8_000 * days)
    visit.reason, visit.previous = found, previous
    metabolic(scribe, start // 1440, liver=True)
    if concept is APPENDICITIS:
        scribe.operate(APPENDECTOMY, 60, found, 600_000)
    elif concept is HIP_FRACTURE:
        scribe.operate(HIP_REPLACEMENT, 100, found, 3_200_000)
        scribe.order(ENOXAPARIN, 14, 1, found, 3_200)
    elif concept is INFARCTION:
        device = scribe.hand_out(STENT, 900_000)
        scribe.operate(CORONARY_INTERVENTION, 70, found, 1_900_000, device)
        scribe.order(ASPIRIN, 90, 1, found, 30)
        scribe.order(CLOPIDOGREL, 90, 1, found, 420)
    else:
        scribe.order(AMOXICILLIN, 10, 3, found, 160)
    scribe.write(
        DISCHARGE_SUMMARY,
        f"Admitted with {concept.display.lower()}. Course without complication. 治疗后好转, 门诊随访.",
    )
