"""The network of the torch-based contenders."""

from torch import Tensor, nn


class CharacterLSTM(nn.Module):
    """Embedding → LSTM → scores: windows (n, length) to (n, length, symbols)."""

    def __init__(self, job):
        super().__init__()
        self.embedding = nn.Embedding(job.symbols, job.embedding)
        self.lstm = nn.LSTM(job.embedding, job.width, job.layers, batch_first=True)
        self.head = nn.Linear(job.width, job.symbols)
        nn.init.xavier_uniform_(self.head.weight)  # as Keras has it: torch's own, half as large, learns less

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.lstm(self.embedding(tokens))[0])
