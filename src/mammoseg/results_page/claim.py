"""CLAIM, the Checklist for Artificial Intelligence in Medical Imaging, 2024 update: its items, in our words.

Source   Tejani et al. 2024, Radiology: Artificial Intelligence 6(4):e240300. The numbers are those of the publication.
"""

from mammoseg.results_page import checklist as known
from mammoseg.results_page.checklist import Item

TITLE = "CLAIM, 2024 update"
ITEMS = (
    Item("1", "Title: that it is AI, and of which kind"),
    Item("2", "Abstract: design, methods, results and conclusions in summary"),
    Item("3", "Background: scientific and clinical, intended use and role"),
    Item("4", "Aims, objectives and hypotheses"),
    Item("5", "Prospective or retrospective"),
    Item("6", "Goal of the study"),
    Item("7", "Where the data come from"),
    Item("8", "Who and what was included and excluded"),
    Item("9", "Preprocessing of the data", known.preparation),
    Item("10", "Which part of the data was used, and how it was chosen"),
    Item("11", "De-identification"),
    Item("12", "Missing data", known.missing),
    Item("13", "How the images were acquired"),
    Item("14", "Reference standard: how it was obtained"),
    Item("15", "Reference standard: why this one"),
    Item("16", "Who annotated, and with which qualification"),
    Item("17", "How the test set was annotated"),
    Item("18", "Variability within and between annotators"),
    Item("19", "How data were divided into partitions"),
    Item("20", "At which level partitions are disjoint", known.disjoint),
    Item("21", "Size of the test set that was intended, and why"),
    Item("22", "The model in detail", known.model),
    Item("23", "Software, libraries and their versions", known.software),
    Item("24", "Initial parameters"),
    Item("25", "Training in detail"),
    Item("26", "How the final model was chosen"),
    Item("27", "Ensembles"),
    Item("28", "Measures of performance", known.measures),
    Item("29", "Measures of uncertainty and of significance", known.uncertainty),
    Item("30", "Robustness, sensitivity analyses", known.subgroups),
    Item("31", "Explainability, and how it was validated", known.maps),
    Item("32", "Evaluation on internal data"),
    Item("33", "Testing on external data"),
    Item("34", "Registration of a trial"),
    Item("35", "Numbers of those included and excluded", known.flow),
    Item("36", "Demographic and clinical characteristics of each partition"),
    Item("37", "Performance, for each partition and subgroup", known.performance),
    Item("38", "Diagnostic accuracy and its precision", known.performance),
    Item("39", "Failures: which cases are wrong", known.failures),
    Item("40", "Limitations"),
    Item("41", "Implications for practice"),
    Item("42", "Where the protocol can be found"),
    Item("43", "Availability of software, model and data"),
    Item("44", "Funding, and the role of the funders"),
)
