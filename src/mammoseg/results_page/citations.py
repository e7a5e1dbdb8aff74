"""What a methods paragraph cites, numbered in the order in which it does."""

REFERENCES = {
    "hanley": "Hanley JA, McNeil BJ. The meaning and use of the area under a receiver operating characteristic (ROC) curve. "
    "Radiology 1982;143:29-36.",
    "efron": "Efron B, Tibshirani RJ. An Introduction to the Bootstrap. Chapman & Hall, 1993.",
    "rutter": "Rutter CM. Bootstrap estimation of diagnostic accuracy with patient-clustered data. Academic Radiology "
    "2000;7:413-419.",
    "field": "Field CA, Welsh AH. Bootstrapping clustered data. Journal of the Royal Statistical Society B 2007;69:369-390.",
    "hesterberg": "Hesterberg TC. What teachers should know about the bootstrap: resampling in the undergraduate statistics "
    "curriculum. The American Statistician 2015;69:371-386.",
    "davis": "Davis J, Goadrich M. The relationship between precision-recall and ROC curves. ICML 2006:233-240.",
    "choe": "Choe J, Oh SJ, Lee S, et al. Evaluating weakly supervised object localization methods right. CVPR 2020 "
    "(arXiv:2001.07437).",
    "zhang": "Zhang J, Lin Z, Brandt J, Shen X, Sclaroff S. Top-down neural attention by excitation backprop. ECCV 2016 "
    "(arXiv:1608.00507).",
    "dice": "Dice LR. Measures of the amount of ecologic association between species. Ecology 1945;26:297-302.",
    "shen": "Shen Y, Wu N, Phang J, et al. An interpretable classifier for high-resolution breast cancer screening images "
    "utilizing weakly supervised localization. Medical Image Analysis 2021;68:101908.",
    "liu": "Liu K, Shen Y, Wu N, et al. Weakly-supervised high-resolution segmentation of mammography images for breast cancer "
    "diagnosis. MIDL 2021 (arXiv:2106.07049).",
    "delong": "DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two or more correlated receiver operating "
    "characteristic curves: a nonparametric approach. Biometrics 1988;44:837-845.",
    "obuchowski": "Obuchowski NA. Nonparametric analysis of clustered ROC curve data. Biometrics 1997;53:567-578.",
    "wilson": "Wilson EB. Probable inference, the law of succession, and statistical inference. Journal of the American "
    "Statistical Association 1927;22:209-212.",
    "korn": "Korn EL, Graubard BI. Confidence intervals for proportions with small expected number of positive counts estimated "
    "from survey data. Survey Methodology 1998;24:193-201.",
    "pepe": "Pepe MS. The Statistical Evaluation of Medical Tests for Classification and Prediction. Oxford University "
    "Press, 2003.",
    "cochran": "Cochran WG. The combination of estimates from different experiments. Biometrics 1954;10:101-129.",
    "obuchowski98": "Obuchowski NA. On the comparison of correlated proportions for clustered data. Statistics in Medicine "
    "1998;17:1495-1507.",
    "bandos": "Bandos AI, Rockette HE, Gur D. A permutation test sensitive to differences in areas for comparing ROC curves from a "
    "paired design. Statistics in Medicine 2005;24:2873-2893.",
    "mcnemar": "McNemar Q. Note on the sampling error of the difference between correlated proportions or percentages. "
    "Psychometrika 1947;12:153-157.",
    "holm": "Holm S. A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 1979;6:65-70.",
    "brier": "Brier GW. Verification of forecasts expressed in terms of probability. Monthly Weather Review 1950;78:1-3.",
    "cox": "Cox DR. Two further applications of a model for binary regression. Biometrika 1958;45:562-565.",
    "calster": "Van Calster B, McLernon DJ, van Smeden M, Wynants L, Steyerberg EW. Calibration: the Achilles heel of predictive "
    "analytics. BMC Medicine 2019;17:230.",
    "naeini": "Naeini MP, Cooper GF, Hauskrecht M. Obtaining well calibrated probabilities using Bayesian binning. AAAI "
    "2015:2901-2907.",
    "mcclish": "McClish DK. Analyzing a portion of the ROC curve. Medical Decision Making 1989;9:190-195.",
    "vickers": "Vickers AJ, Elkin EB. Decision curve analysis: a novel method for evaluating prediction models. Medical Decision "
    "Making 2006;26:565-574.",
    "chakraborty": "Chakraborty DP. Observer Performance Methods for Diagnostic Imaging. CRC Press, 2017.",
    "claim": "Tejani AS, Klontzas ME, Gatti AA, et al. Checklist for Artificial Intelligence in Medical Imaging (CLAIM): 2024 "
    "update. Radiology: Artificial Intelligence 2024;6:e240300.",
    "tripod": "Collins GS, Moons KGM, Dhiman P, et al. TRIPOD+AI statement: updated guidance for reporting clinical prediction "
    "models that use regression or machine learning methods. BMJ 2024;385:e078378.",
}
"""Key -> the work."""


class Cited:
    """Gives numbers to works as they are cited."""

    def __init__(self) -> None:
        self.order: list[str] = []

    def __call__(self, *keys: str) -> str:
        """`[1, 2]`, for keys of REFERENCES."""
        for key in keys:
            if key not in self.order:
                self.order.append(key)
        return f"[{', '.join(map(str, sorted(self.order.index(key) + 1 for key in keys)))}]"

    @property
    def works(self) -> list[str]:
        """Those cited, the first with the number 1."""
        return [REFERENCES[key] for key in self.order]
