"""TRIPOD+AI, for studies that develop or evaluate prediction models: its items, in our words.

Source   Collins et al. 2024, BMJ 385:e078378. The numbers are those of the publication; "development only" marks its items D.
"""

from mammoseg.results_page import checklist as known
from mammoseg.results_page.checklist import Item

TITLE = "TRIPOD+AI"
_D = " (development only)"
ITEMS = (
    Item("1", "Title: development or evaluation of a model, target population, outcome"),
    Item("2", "Abstract: see the checklist for abstracts"),
    Item("3a", "Background: healthcare context and rationale"),
    Item("3b", "Target population, purpose in the pathway of care, users"),
    Item("3c", "Known inequalities between groups"),
    Item("4", "Objectives: development, evaluation or both"),
    Item("5a", "Sources of the data, why these, how representative"),
    Item("5b", "Dates of the data"),
    Item("6a", "Setting, number and places of centres"),
    Item("6b", "Eligibility"),
    Item("6c", "Treatments"),
    Item("7", "Preparation and quality checks of the data", known.preparation),
    Item("8a", "Outcome: what, when and how it was assessed, and why"),
    Item("8b", "Outcome: who assessed it, if judgement is needed"),
    Item("8c", "Outcome: blinding"),
    Item("9a", f"Predictors: how they were chosen{_D}"),
    Item("9b", "Predictors: definition, how and when they were measured"),
    Item("9c", "Predictors: who measured them, if judgement is needed"),
    Item("10", "Size of the study, and why"),
    Item("11", "Missing data", known.missing),
    Item("12a", f"How the data were used and divided{_D}"),
    Item("12b", f"How predictors entered the analysis{_D}"),
    Item("12c", f"Type of model, building, tuning, internal validation{_D}"),
    Item("12d", "Heterogeneity between clusters, such as hospitals", known.subgroups),
    Item("12e", "Measures and plots of performance", known.measures),
    Item("12f", "Updating of the model after the evaluation (recalibration)", known.updating),
    Item("12g", "How the predictions were calculated", known.software),
    Item("13", "Class imbalance"),
    Item("14", "Fairness"),
    Item("15", f"Output of the model, and how thresholds were found{_D}", known.output),
    Item("16", "Differences between the data of development and evaluation"),
    Item("17", "Ethical approval and consent"),
    Item("18a", "Funding"),
    Item("18b", "Conflicts of interest"),
    Item("18c", "Protocol"),
    Item("18d", "Registration"),
    Item("18e", "Sharing of data"),
    Item("18f", "Sharing of code"),
    Item("19", "Involvement of patients and the public"),
    Item("20a", "Flow of participants, with and without the outcome", known.outcomes),
    Item("20b", "Characteristics of the participants"),
    Item("20c", "Comparison with the data of development"),
    Item("21", "Numbers of participants and outcomes in each analysis", known.outcomes),
    Item("22", f"The full model, so that others can use it{_D}", known.model),
    Item("23a", "Performance with confidence intervals, also of subgroups", known.performance),
    Item("23b", "Heterogeneity of performance between clusters, if examined", known.subgroups),
    Item("24", "Results of updating the model", known.updating),
    Item("25", "Interpretation, with fairness"),
    Item("26", "Limitations"),
    Item("27a", f"Use: input of poor quality or missing{_D}"),
    Item("27b", f"Use: what users have to do, and their expertise{_D}"),
    Item("27c", "Next steps of research"),
)
