"""torch._dynamo takes a second to import, sympy a third: nothing that a fit or a model file needs may ask for them."""

import subprocess
import sys

PARTS = {
    "import": "from ganglion import GAN, MLPClassifier, load",
    "a fit": """
table = {'number': np.arange(60.0), 'category': np.array(list('abc') * 20, dtype=object)}
MLPClassifier(hidden=(4,), epochs=2).fit(table, np.arange(60) % 2)
model = MLPClassifier(hidden=(4,), epochs=2, dropout=0.1).fit(table, np.arange(60) % 2)
X = np.random.default_rng(0).normal(size=(60, 3))
for options in ({}, {'optimizer': 'lbfgs'}, {'optimizer': 'muon', 'clip_norm': 1.0, 'normalization': 'batch'}):
    MLPClassifier(hidden=(4,), epochs=2, dropout=0.1, validation_fraction=0.2, **options).fit(X, X[:, 0] > 0).predict(X)
""",
    # torch asks for it to draw normal numbers that are nowhere
    "loading": "model.save(sys.argv[1]); load(sys.argv[1])",
    "a penalty": """
from ganglion.training.adversarial import gradient_penalty
layer, x = torch.nn.Linear(2, 1), torch.randn(4, 2)
loss = gradient_penalty(lambda x: layer(x)[:, 0], x, x + 1, torch.rand(4, 1)).mean()
torch.autograd.grad(loss, layer.weight)
""",
    "a GAN": """
GAN(loss='wasserstein', hidden=(4,), epochs=1, random_state=0).fit(X)
GAN(network='dcgan', channels=2, epochs=1, random_state=0).fit(np.arange(64 * 40).reshape(40, 8, 8).astype(np.uint8))
""",
}


def test_nothing_is_imported_late(tmp_path):
    """One process for all parts: each start takes seconds."""
    check = "\nlate = {'torch._dynamo', 'sympy'} & set(sys.modules); assert not late, f'%s asked for {late}'\n"
    code = "import sys, torch, numpy as np\n" + "".join(part + check % name for name, part in PARTS.items())
    command = [sys.executable, "-W", "ignore", "-c", code, str(tmp_path / "model")]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
