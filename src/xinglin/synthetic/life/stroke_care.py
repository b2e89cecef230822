"""Stroke care: emergency room, imaging, thrombolysis if in time, ward, secondary prevention, rehabilitation."""

from __future__ import annotations

from xinglin.synthetic.life.course import Stroke
from xinglin.synthetic.life.findings import blood_count, glucose, lipids, metabolic, systolic
from xinglin.synthetic.life.scribe import Scribe
from xinglin.synthetic.records import Diagnosis
from xinglin.synthetic.vocabulary.terms import (
    ADMISSION,
    ALTEPLASE,
    AMLODIPINE,
    ASPIRIN,
    ATORVASTATIN,
    ATRIAL_FIBRILLATION,
    BARTHEL,
    CLOPIDOGREL,
    CT_HEAD,
    CT_REPORT,
    DISCHARGE_SUMMARY,
    ECG,
    EMERGENCY,
    HEAD,
    HEART_RATE,
    HEMIPLEGIA,
    HYPERTENSION,
    INR,
    MRI_BRAIN,
    MRI_REPORT,
    NIHSS,
    OCCUPATIONAL_THERAPY,
    PHYSICAL_THERAPY,
    PROCEDURE_VISIT,
    RANKIN,
    SPEECH_THERAPY,
    STROKE_HAEMORRHAGIC,
    STROKE_ISCHAEMIC,
    WARFARIN,
    WHEELCHAIR,
)  # fmt: skip

__all__ = ["DEATH_MINUTE", "THROMBOLYSIS_HOURS", "rehabilitate", "treat_stroke"]

# Alteplase is effective up to 4.5 hours after onset (Hacke et al. 2008, N Engl J Med 359:1317).
THROMBOLYSIS_HOURS = 4.5
# Deaths are recorded at 14:00 of their day.
DEATH_MINUTE = 840


def _emergency(scribe: Scribe, stroke: Stroke, start: int) -> Diagnosis:
    visit = scribe.open("EMER", EMERGENCY, start, 150, 18_000)
    concept = STROKE_ISCHAEMIC if stroke.ischaemic else STROKE_HAEMORRHAGIC
    scribe.known.pop(concept, None)
    found = scribe.diagnose(concept, stroke.day, stroke.day + 30)
    visit.reason = found
    scribe.find(NIHSS, str(stroke.severity), "{score}")
    scribe.pressure(systolic(scribe.body, stroke.day) + 22)
    scribe.find(HEART_RATE, str(int(scribe.body.rng.gauss(84, 11))), "/min")
    glucose(scribe, stroke.day, long_term=False)
    scribe.find(INR, f"{max(0.8, scribe.body.rng.gauss(1.05, 0.08)):.2f}", "{INR}", 1_500)
    scribe.operate(CT_HEAD, 12, found, 26_000)
    conclusion = "No haemorrhage; early ischaemic change." if stroke.ischaemic else "Acute intracerebral haemorrhage."
    scribe.image(("CT", HEAD, 40 + stroke.severity, "CT head without contrast"), CT_REPORT, conclusion, 8_000)
    if stroke.ischaemic and stroke.hours_to_door + 0.7 < THROMBOLYSIS_HOURS and stroke.severity >= 4:
        scribe.order(ALTEPLASE, 1, 1, found, 420_000)
    return found


def _ward(scribe: Scribe, stroke: Stroke, found: Diagnosis, death: int | None) -> int:
    """The hospital stay; returns the minute of discharge."""
    rng = scribe.body.rng
    emergency = scribe.visits[-1]
    days = 4 + min(26, stroke.severity // 2 + int(rng.expovariate(1 / 4.0)))
    start = emergency.end + 5
    end = start + days * 1440 - 300
    end = max(start + 60, min(end, scribe.body.last_day * 1440 + 1439))
    if death is not None:
        end = min(end, death * 1440 + DEATH_MINUTE)
    visit = scribe.open("IMP", ADMISSION, start, end - start, 9_000 * days)
    visit.reason, visit.previous = found, emergency.number
    visit.died = death is not None and end >= death * 1440 + DEATH_MINUTE
    if stroke.severity >= 6:
        scribe.diagnose(HEMIPLEGIA, stroke.day, None)
    scribe.operate(ECG, 10, found, 3_000)
    lipids(scribe, stroke.day)
    metabolic(scribe, stroke.day, liver=True)
    blood_count(scribe, infected=False)
    if rng.random() < 0.6:
        scribe.operate(MRI_BRAIN, 30, found, 65_000)
        text = "Restricted diffusion in the territory of the middle cerebral artery." if stroke.ischaemic else ""
        text = text or "Haematoma with surrounding oedema."
        scribe.image(("MR", HEAD, 120 + stroke.severity * 2, "MR brain with diffusion"), MRI_REPORT, text, 9_000)
    if not visit.died:
        _leave(scribe, stroke, found)
    fate = "died" if visit.died else "was discharged"
    kind = "ischaemic" if stroke.ischaemic else "haemorrhagic"
    scribe.write(
        DISCHARGE_SUMMARY,
        f"Admitted with {kind} stroke, NIHSS {stroke.severity} on arrival. The patient {fate} after "
        f"{max(1, (end - start) // 1440)} days. 入院诊断: 脑卒中. 出院医嘱: 控制血压, 康复训练.",
    )
    return end


def _leave(scribe: Scribe, stroke: Stroke, found: Diagnosis) -> None:
    """Measurements and prescriptions before discharge."""
    body = scribe.body
    rng = body.rng
    for _ in range(2 if stroke.severity >= 5 else 1):
        scribe.operate(PHYSICAL_THERAPY, 45, found, 9_000)
    after = max(0, int(stroke.severity * 0.6 + rng.gauss(0, 1.5)))
    scribe.find(NIHSS, str(after), "{score}")
    scribe.find(BARTHEL, str(_barthel(after, 0)), "{score}")
    scribe.find(RANKIN, str(min(5, 1 + after // 4)), "{score}")
    if stroke.ischaemic:
        if body.has(ATRIAL_FIBRILLATION, stroke.day) and rng.random() < 0.7:
            scribe.order(WARFARIN, 90, 1, found, 60)
        else:
            scribe.order(ASPIRIN, 90, 1, found, 30)
            if rng.random() < 0.55:
                scribe.order(CLOPIDOGREL, 21, 1, found, 420)
        scribe.order(ATORVASTATIN, 90, 1, found, 350)
        body.statin_from = body.statin_from or stroke.day
    if body.has(HYPERTENSION, stroke.day):
        known = scribe.diagnose(HYPERTENSION, body.course.onset[HYPERTENSION], None)
        scribe.order(AMLODIPINE, 90, 1, known, 80)
    if after >= 14:
        scribe.hand_out(WHEELCHAIR, 90_000)


def _barthel(nihss: int, sessions: int) -> int:
    """Barthel index in steps of five: lower for a larger deficit, higher with rehabilitation."""
    return max(0, min(100, (100 - nihss * 5 + sessions * 6) // 5 * 5))


def treat_stroke(scribe: Scribe, stroke: Stroke, death: int | None) -> int:
    """Emergency room and ward; returns the minute at which the patient leaves.

    Args:
        scribe: The hospital's scribe.
        stroke: The stroke.
        death: Day of death, if within the next 30 days.
    """
    # A patient who dies on the same day arrives in the morning, so that the stay ends before the hour of death.
    latest = 4.0 if death == stroke.day else 17.0
    start = stroke.day * 1440 + 360 + int(min(latest, stroke.hours_to_door) * 60)
    found = _emergency(scribe, stroke, start)
    return _ward(scribe, stroke, found, death)


def rehabilitate(scribe: Scribe, stroke: Stroke, start: int, session: int) -> None:
    """One visit of rehabilitation."""
    visit = scribe.open("AMB", PROCEDURE_VISIT, start, 60, 2_000)
    concept = STROKE_ISCHAEMIC if stroke.ischaemic else STROKE_HAEMORRHAGIC
    known = scribe.known.get(concept)
    # A site that did not treat the stroke records it as history, with the same onset and diagnosis.
    visit.reason = known if known else scribe.diagnose(concept, stroke.day, stroke.day + 30)
    scribe.operate(PHYSICAL_THERAPY, 40, visit.reason, 9_000)
    if session % 2 == 0:
        scribe.operate(SPEECH_THERAPY if stroke.severity % 2 else OCCUPATIONAL_THERAPY, 30, visit.reason, 8_000)
    nihss = max(0, int(stroke.severity * 0.6) - session)
    scribe.find(BARTHEL, str(_barthel(nihss, session)), "{score}")
