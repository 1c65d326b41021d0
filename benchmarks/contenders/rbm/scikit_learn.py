"""scikit-learn's BernoulliRBM."""

from sklearn.neural_network import BernoulliRBM

from benchmarks.contenders.rbm.measured import contend_as_rbm


def fit(job, V):
    model = BernoulliRBM(
        job.hidden,
        learning_rate=job.learning_rate,
        batch_size=job.batch_size,
        n_iter=job.epochs,
        random_state=job.seed,
    ).fit(V)
    return model.components_, model.intercept_hidden_, model.intercept_visible_


if __name__ == "__main__":
    contend_as_rbm(fit, ["scikit-learn", "numpy"])
