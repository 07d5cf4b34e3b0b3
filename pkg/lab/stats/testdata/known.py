"""Known answers for pkg/lab/stats, from SciPy and statsmodels.

    python -m venv v && v/bin/pip install scipy statsmodels
    v/bin/python known.py > known.json

Made with SciPy 1.17.1, statsmodels 0.15.0, NumPy 2.4.6, Python 3.11.
"""
import itertools
import json
import numpy as np
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

# Accuracies of eight seeds of two arms, made up; the ties and the skew matter.
A = [0.912, 0.934, 0.871, 0.955, 0.903, 0.948, 0.931, 0.890]
B = [0.901, 0.909, 0.874, 0.922, 0.899, 0.948, 0.905, 0.872]
SKEWED = [0.2, 0.3, 0.35, 0.5, 0.8, 1.9, 2.4, 7.1, 0.4, 1.1]
L = [256, 512, 1024, 2048, 4096, 8192]
TIME = [0.9, 3.1, 12.9, 49.0, 205.0, 790.0]
P = [0.01, 0.04, 0.03, 0.005, 0.2, 0.04]


def summary(x, level):
    lo, hi = stats.t.interval(level, len(x) - 1, loc=np.mean(x), scale=stats.sem(x))
    return dict(xs=x, confidence=level, mean=np.mean(x), sd=np.std(x, ddof=1), se=stats.sem(x), lo=lo, hi=hi,
                median=np.median(x))


def paired(a, b, level):
    r = stats.ttest_rel(a, b)
    ci = r.confidence_interval(level)
    d = np.subtract(a, b)
    flip = stats.permutation_test((a, b), lambda x, y, axis: np.mean(x - y, axis=axis), permutation_type="samples",
                                  vectorized=True, n_resamples=np.inf)
    return dict(a=a, b=b, confidence=level, t=r.statistic, p=r.pvalue, lo=ci.low, hi=ci.high, sign_flip=flip.pvalue,
                effect=d.mean() / d.std(ddof=1))


def welch(a, b, level):
    r = stats.ttest_ind(a, b, equal_var=False)
    ci = r.confidence_interval(level)
    spread = np.sqrt((np.var(a, ddof=1) + np.var(b, ddof=1)) / 2)
    return dict(a=a, b=b, confidence=level, t=r.statistic, p=r.pvalue, df=r.df, lo=ci.low, hi=ci.high,
                hedges=(1 - 3 / (4 * (len(a) + len(b)) - 9)) * (np.mean(a) - np.mean(b)) / spread)


def best(x, k):
    """Every choice of k results, one by one."""
    choices = list(itertools.combinations(x, k))
    return dict(xs=x, k=k, max=np.mean([max(c) for c in choices]), min=np.mean([min(c) for c in choices]))


def bootstrap(x, level):
    def one(method):
        r = stats.bootstrap((x,), np.mean, confidence_level=level, n_resamples=2_000_000, batch=100_000, method=method,
                            rng=np.random.default_rng(0))
        return dict(lo=r.confidence_interval.low, hi=r.confidence_interval.high)
    return dict(xs=x, confidence=level, percentile=one("percentile"), bca=one("BCa"))


def wilson(k, n, level):
    lo, hi = proportion_confint(k, n, alpha=1 - level, method="wilson")
    return dict(k=k, n=n, confidence=level, lo=lo, hi=hi)


def slope(x, y, level):
    r = stats.linregress(np.log(x), np.log(y))
    half = stats.t.ppf(0.5 + level / 2, len(x) - 2) * r.stderr
    return dict(x=x, y=y, confidence=level, exponent=r.slope, se=r.stderr, lo=r.slope - half, hi=r.slope + half,
                coefficient=np.exp(r.intercept), r2=r.rvalue**2)


print(json.dumps(dict(
    t=[dict(df=d, confidence=c, factor=stats.t.ppf(0.5 + c / 2, d)) for d in (1, 2, 4, 7, 30, 1000) for c in (0.9, 0.95, 0.99)],
    summary=[summary(A, 0.95), summary(SKEWED, 0.9), summary([1.0, 2.0, 4.0], 0.95), summary([3.0, 1.0], 0.99)],
    paired=[paired(A, B, 0.95), paired(B[:5], A[:5], 0.9), paired(SKEWED, SKEWED[::-1], 0.95)],
    welch=[welch(A, B[:5], 0.95), welch(SKEWED, A, 0.9), welch([1.0, 2.0], [5.0, 5.5, 7.0], 0.99)],
    best=[best(SKEWED, k) for k in (1, 2, 3, 9, 10)] + [best(A, 4), best([3.0], 1)],
    bootstrap=[bootstrap(A, 0.95), bootstrap(SKEWED, 0.95), bootstrap(SKEWED, 0.8)],
    wilson=[wilson(k, n, c) for k, n in ((8, 10), (0, 5), (5, 5), (1, 3), (37, 200)) for c in (0.9, 0.95)],
    holm=dict(p=P, adjusted=multipletests(P, method="holm")[1].tolist()),
    slope=[slope(L, TIME, 0.95), slope([1, 2, 5], [3, 2, 1], 0.9)],
    spearman=[dict(x=A, y=B, rho=stats.spearmanr(A, B).statistic),
              dict(x=[1, 2, 2, 3, 3, 3], y=[9, 7, 7, 7, 2, 1], rho=stats.spearmanr([1, 2, 2, 3, 3, 3], [9, 7, 7, 7, 2, 1]).statistic)],
), indent=1))
