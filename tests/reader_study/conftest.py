"""A published reader study: Van Dyke et al. 1993, five readers, two modalities of MRI, 114 patients, 45 with an aortic dissection.

Ratings 1 to 5 as they come with RJafroc (`dataset02`) and MRMCaov (`VanDyke`), in the order of the cases: 69 without the disease
first. Modality 0 (1 there) is spin echo, modality 1 is cine.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from mammoseg.reader_study.study import Case, ReaderStudy

_RATINGS = (  # modality, then reader
    (
        "1221511111 1141111111 1131311214 1111131212 1123313113 3111111221 111332111"
        "5555455545 5543424555 5555154454 5535551155 54451",
        "2322222223 2252223222 2222422223 2222222222 2222222222 2222222432 232222222"
        "5355555425 5544222555 5555243354 5524252255 55352",
        "2222351122 4242223222 1232411322 1122241214 1211222222 3211211221 151421212"
        "5455555555 5554235555 5555252255 5525552255 55552",
        "1111113111 1111111111 2111211112 1111111111 1111111133 1111111111 111311111"
        "5555555555 5555515555 5555554544 5535551255 55555",
        "3512111122 2121112211 3221111211 2112312211 1333211121 1111111341 231212113"
        "5252555515 4545223555 5554144322 1515151155 53552",
    ),
    (
        "3332222232 1312222221 1111421312 2143231231 2223311133 3113412421 241442111"
        "5355555545 5554433555 5555355355 5544555355 55551",
        "3222222232 2222212222 1222322222 2122122222 3122322222 2222322322 222222122"
        "5355555525 5534424545 5545252355 5324255255 55552",
        "2422223222 1113222212 1121411512 1121222122 2113211123 3113221232 341242121"
        "5255555555 5535414555 5555253355 5435555345 55551",
        "2211113121 1112211121 1111321212 1111221121 1111212121 2211111212 111323211"
        "5455555545 5545555555 5555455445 5555555355 55555",
        "2231222212 2211122212 2212322321 2122221121 2113212233 2122221222 231233111"
        "5254555554 5534333555 5555251332 5325455335 55553",
    ),
)

LABELS: NDArray[np.float64] = np.repeat([0.0, 1.0], [69, 45])
SCORES_TRN: NDArray[np.float64] = np.array(
    [[[float(rating) for rating in text.replace(" ", "")] for text in readers] for readers in _RATINGS]
)
"""Modality, reader, case."""


@pytest.fixture(scope="session")
def van_dyke() -> SimpleNamespace:
    """labels (n,), scores_TRN, scores_KN (modality by modality), patients: each case is one."""
    patients = [str(number) for number in range(LABELS.size)]
    return SimpleNamespace(
        labels=LABELS, scores_TRN=SCORES_TRN, scores_KN=SCORES_TRN.reshape(10, -1), patients=patients
    )


@pytest.fixture(scope="session")
def small_study() -> ReaderStudy:
    """Three readers in one modality and two models, all with probabilities, on 60 patients with two breasts."""
    rng = np.random.default_rng(1)
    labels = np.repeat([1.0, 0.0], [30, 90])
    cases = tuple(Case(f"p{number // 2}", f"p{number // 2} {'LR'[number % 2]}") for number in range(120))
    readings = [np.clip(np.round(0.2 * labels + 0.3 * rng.random(120), 1), 0, 1) for _ in range(3)]
    models = {name: np.clip(0.3 * labels + 0.7 * rng.random(120), 0, 1) for name in ("net", "other net")}
    return ReaderStudy(cases, labels, ("alone",), ("A", "B", "C"), np.array([readings]), models)
