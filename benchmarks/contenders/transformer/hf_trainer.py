"""Hugging Face's GPT2LMHeadModel and Trainer; logs, checkpoints and bars are off. GPT-2 has biases here."""

import tempfile

import torch
from torch.utils.data import Dataset
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

from benchmarks.contenders.text import contend_on_text
from benchmarks.contenders.torch_text import loss_of, scores_of


class Windows(Dataset):
    """Every window of the text, by where it starts."""

    def __init__(self, tokens, length):
        self.tokens, self.length = tokens, length

    def __len__(self):
        return len(self.tokens) - self.length

    def __getitem__(self, start):
        stop = start + self.length
        return {"input_ids": self.tokens[start:stop], "labels": self.tokens[start + 1 : stop + 1]}


class Scores(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, tokens):
        return self.model(tokens).logits


def fit(job, tokens):
    torch.manual_seed(job.seed)
    config = GPT2Config(
        vocab_size=job.symbols,
        n_positions=job.length,
        n_embd=job.width,
        n_layer=job.layers,
        n_head=job.heads,
        activation_function="gelu",
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        use_cache=False,
    )
    model = GPT2LMHeadModel(config)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            max_steps=job.steps,
            per_device_train_batch_size=job.batch_size,
            learning_rate=job.learning_rate,
            warmup_steps=job.warmup,
            lr_scheduler_type="cosine_with_min_lr",
            lr_scheduler_kwargs={"min_lr": job.least_rate},
            adam_beta2=job.beta2,
            weight_decay=job.weight_decay,
            max_grad_norm=job.clip,
            seed=job.seed,
            use_cpu=True,
            dataloader_pin_memory=False,
            disable_tqdm=True,
            logging_strategy="no",
            save_strategy="no",
            report_to="none",
        )
        trainer = Trainer(
            model,
            arguments,
            train_dataset=Windows(torch.from_numpy(tokens), job.length),
            compute_loss_func=lambda outputs, labels, **_: loss_of(outputs.logits, labels),  # they are shifted already
        )
        trainer.train()
    return scores_of(Scores(model))


if __name__ == "__main__":
    contend_on_text(fit, ["transformers", "accelerate", "torch", "numpy"])
