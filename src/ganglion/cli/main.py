"""The command `ganglion`: the same verbs as in Python. No logic here; `--help` imports nothing heavy.

Exit codes: 0 it worked, 1 the data or the model would not do, or it was interrupted (the message says why), 2 the
command line is wrong.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from ganglion.cli import comparing, compressing

app = typer.Typer(
    name="ganglion",
    help="scikit-learn for deep learning: from a file to a trained, honestly evaluated, saved model.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help fits 80 columns, and comes in half the time
    context_settings={"help_option_names": ["-h", "--help"]},
)

Data = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        help="CSV, TSV, Parquet, JSON lines, npz, npy, IDX, text or MIDI file, JSON of chords, or a folder or zip of "
        "texts, pictures, recordings, MIDI or Parquet.",
    ),
]
Model = Annotated[Path, typer.Argument(metavar="MODEL", help="A file that `train` wrote.")]
Target = Annotated[
    list[str] | None,
    typer.Option("--target", "-t", metavar="NAME", help="Column to predict; -1 is the last. Repeat for several."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print results only.")]
Html = Annotated[Path | None, typer.Option("--report", metavar="HTML", help="Write the report as a page here.")]
Train = Annotated[
    Path | None,
    typer.Option("--train", metavar="DATA", help="The training data, for baselines on equal terms."),
]


@app.command("inspect")
def inspect_command(data: Data, target: Target = None, as_json: Json = False) -> None:
    """Look at a data file before learning from it."""
    from ganglion.cli.commands import inspect_data

    inspect_data(data, target, as_json=as_json)


@app.command("train")
def train_command(
    data: Data,
    target: Target = None,
    algorithm: Annotated[
        str | None, typer.Option("--algorithm", "-a", metavar="NAME", help="Which one; see `ganglion list`.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", "-s", metavar="OPTION=VALUE", help="An option of it, as hidden=256,128. Repeat."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="MODEL", help="Where to save the model.")] = Path(
        "model.ganglion"
    ),
    test: Annotated[
        Path | None, typer.Option("--test", metavar="DATA", help="Test on this file, in place of a held-out part.")
    ] = None,
    test_fraction: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Part to hold out for testing: 0.2 of the rows, 0.1 of a text."),
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option("--drop", metavar="NAME", help="Leave a column out. Repeat for several.")
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(metavar="TASK", help="classification or regression, in place of what the target looks like."),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option("--checkpoint", metavar="FOLDER", help="Save the run here, once a minute."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from --checkpoint FOLDER if a run saved itself there.")
    ] = False,
    image_size: Annotated[
        str | None,
        typer.Option("--image-size", metavar="HEIGHTxWIDTH", help="Bring pictures from files to this size, as 96x128."),
    ] = None,
    step: Annotated[
        str, typer.Option("--step", metavar="NOTE", help="Read MIDI files in steps of this note, as 1/16 (else 1/4).")
    ] = "",
    resize: Annotated[str, typer.Option("--resize", metavar="POLICY", help="How: stretch, crop or pad.")] = "stretch",
    rate: Annotated[
        int | None, typer.Option("--rate", metavar="HZ", help="Bring recordings to so many samples a second, as 16000.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="NUMBER", help="Seed of the split and the training.")] = 0,
    sensitive: Annotated[
        list[str] | None,
        typer.Option("--sensitive", metavar="NAME,NAME", help="Compare groups of people by these columns, too."),
    ] = None,
    report: Html = None,
    baselines: Annotated[bool, typer.Option(help="Whether to run the baselines too.")] = True,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Train a model, test it on held-out rows, and save it."""
    from ganglion.cli.train import train_model

    train_model(
        data,
        target=target,
        test=test,
        test_fraction=test_fraction,
        drop=drop or [],
        algorithm_name=algorithm,
        task=task,
        settings=settings or [],
        out=out,
        size=image_size,
        step=step,
        resize=resize,
        rate=rate,
        seed=seed,
        sensitive=sensitive or [],
        checkpoint=checkpoint,
        resume=resume,
        report=report,
        baselines=baselines,
        quiet=quiet,
        as_json=as_json,
    )


@app.command("evaluate")
def evaluate_command(
    model: Model,
    data: Data,
    target: Target = None,
    train: Train = None,
    report: Html = None,
    conformal: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Check prediction sets or intervals that promise to cover it: 0.9."),
    ] = None,
    costs: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="FALSE-POSITIVE FALSE-NEGATIVE", help="What each mistake costs: where to draw the line."),
    ] = None,
    sensitive: Annotated[
        list[str] | None,
        typer.Option("--sensitive", metavar="NAME,NAME", help="Compare groups of people by these columns, too."),
    ] = None,
    groups: Annotated[
        str | None,
        typer.Option("--groups", metavar="NAME", help="Look for groups (patients) that were learned from (--train)."),
    ] = None,
    time: Annotated[
        str | None,
        typer.Option("--time", metavar="NAME", help="Look for rows older than what was learned from (--train)."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Evaluate a saved model on rows whose target is known."""
    from ganglion.cli.commands import evaluate_model

    asked = {"conformal": conformal, "costs": costs, "groups": groups, "time": time}
    paths = {"train": train, "report": report}
    evaluate_model(model, data, target=target, sensitive=sensitive or [], asked=asked, as_json=as_json, **paths)


@app.command("compare")
def compare_command(
    data: Data,
    target: Target = None,
    models: comparing.Named = None,
    settings: comparing.Settings = None,
    cv: comparing.Cv = None,
    repeats: comparing.Repeats = None,
    groups: comparing.Groups = None,
    metric: comparing.Judged = None,
    drop: comparing.Dropped = None,
    task: comparing.Asked = None,
    seed: Annotated[int, typer.Option(min=0, metavar="NUMBER", help="Seed of folds and models.")] = 0,
    report: Html = None,
    baselines: Annotated[bool, typer.Option(help="Whether the baselines take part.")] = True,
    curve: comparing.Growing = True,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Compare algorithms on the same folds: which to take, and what more rows would change."""
    comparing.compare_models(
        data,
        target=target,
        models=models or [],
        settings=settings or [],
        drop=drop or [],
        task=task,
        seed=seed,
        report=report,
        quiet=quiet,
        as_json=as_json,
        cv=comparing.cv_of(cv),
        n_repeats=repeats,
        groups=groups,
        metric=metric,
        baselines=baselines,
        learning_curve=curve,
    )


@app.command("compress")
def compress_command(
    model: Model,
    data: Data,
    budget: compressing.Allowed = "0.5 points",
    test: compressing.Tested = None,
    target: Target = None,
    steps: compressing.Steps = None,
    epochs: compressing.Further = None,
    save: compressing.Best = None,
    seed: Annotated[int, typer.Option(min=0, metavar="NUMBER", help="Seed of resamples and held-out rows.")] = 0,
    report: Html = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Make a saved model smaller and faster; each way is measured, the best within a budget kept."""
    compressing.compress_model(
        model,
        data,
        budget=budget,
        test=test,
        target=target,
        steps=steps or [],
        epochs=epochs,
        save=save,
        seed=seed,
        report=report,
        quiet=quiet,
        as_json=as_json,
    )


@app.command("audit")
def audit_command(
    model: Model,
    data: Data,
    sensitive: Annotated[
        list[str],
        typer.Option("--sensitive", metavar="NAME,NAME", help="Columns that say who belongs to which group."),
    ],
    target: Target = None,
    positive: Annotated[
        str | None, typer.Option("--positive", metavar="LABEL", help="The class that rates are of.")
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", "--report", metavar="HTML", help="Write a page here.")] = None,
    as_json: Json = False,
) -> None:
    """Compare how a saved model treats groups of people."""
    from ganglion.cli.commands import audit_model

    audit_model(model, data, sensitive=sensitive, target=target, positive=positive, html=html, as_json=as_json)


@app.command("predict")
def predict_command(
    model: Model,
    data: Data,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="CSV", help="Write here in place of the screen.")
    ] = None,
    probabilities: Annotated[bool, typer.Option(help="Whether to add one column a class.")] = True,
    as_json: Json = False,
) -> None:
    """Predict with a saved or exported model: one line a row, as CSV. Masks are arrays: --out FILE.npz."""
    if model.suffix.lower() == ".onnx":  # without torch
        from ganglion.cli.exporting import predict_with_onnx

        predict_with_onnx(model, data, out=out, probabilities=probabilities, as_json=as_json)
        return
    from ganglion.cli.commands import predict_rows

    predict_rows(model, data, out=out, probabilities=probabilities, as_json=as_json)


@app.command("explain")
def explain_command(
    model: Model,
    data: Data,
    row: Annotated[
        list[int] | None,
        typer.Option("--row", "-r", metavar="NUMBER", help="Explain this row, from 0. Repeat for several; else all."),
    ] = None,
    method: Annotated[
        str,
        typer.Option("--method", "-m", metavar="NAME", help="auto, exact, permutation, kernel, lime or occlusion."),
    ] = "auto",
    background: Annotated[
        Path | None,
        typer.Option(metavar="DATA", help="Rows whose values replace what is left out (else those of DATA)."),
    ] = None,
    output: Annotated[
        str | None, typer.Option(metavar="LABEL", help="Explain this class or target, not the predicted one.")
    ] = None,
    evaluations: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="Ask the model about so many times for a row.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="NUMBER", help="Seed of all that is drawn.")] = 0,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="HTML", help="Write the explanations as a page here.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Explain what a saved model says of rows: what each feature adds, and how sure that is."""
    from ganglion.cli.explaining import explain_rows

    explain_rows(
        model,
        data,
        rows=row,
        method=method,
        background=background,
        output=output,
        n_evaluations=evaluations,
        seed=seed,
        html=html,
        as_json=as_json,
    )


@app.command("counterfactual")
def counterfactual_command(
    model: Model,
    data: Data,
    row: Annotated[int, typer.Option("--row", "-r", metavar="NUMBER", help="The row to change, from 0.")],
    target: Annotated[
        str | None,
        typer.Option("--target", "-t", metavar="LABEL", help="The class wanted; of numbers a range, 300: or 10:20."),
    ] = None,
    features: Annotated[
        str | None, typer.Option(metavar="NAME,NAME", help="Columns that may change (else all).")
    ] = None,
    keep: Annotated[str | None, typer.Option(metavar="NAME,NAME", help="Columns that must stay.")] = None,
    ranges: Annotated[
        list[str] | None,
        typer.Option("--range", metavar="NAME=LOW:HIGH", help="Or NAME=up, NAME=down, NAME=VALUE,VALUE. Repeat."),
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, metavar="NUMBER", help="Answers at most.")] = 3,
    background: Annotated[
        Path | None, typer.Option(metavar="DATA", help="Rows that say what values are usual (else those of DATA).")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="NUMBER", help="Seed of all that is drawn.")] = 0,
    html: Annotated[Path | None, typer.Option("--html", metavar="HTML", help="Write a page here.")] = None,
    as_json: Json = False,
) -> None:
    """Find the nearest change of a row that turns what a saved model decides."""
    from ganglion.cli.turning import turn_row

    turn_row(
        model,
        data,
        row=row,
        target=target,
        features=features,
        keep=keep,
        ranges=ranges or [],
        k=k,
        background=background,
        seed=seed,
        html=html,
        as_json=as_json,
    )


@app.command("sample")
def sample_command(
    model: Model,
    prompt: Annotated[
        str, typer.Option("--prompt", "-p", metavar="TEXT", help="How it begins: a text, or for music a MIDI file.")
    ] = "",
    length: Annotated[
        int | None, typer.Option(min=0, metavar="NUMBER", help="Tokens to write at most (500), or chords (64).")
    ] = None,
    temperature: Annotated[
        float, typer.Option(metavar="NUMBER", help="Below 1 likelier texts, above 1 wilder ones; 0 is the likeliest.")
    ] = 1.0,
    top_k: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="Draw from so many tokens, the likeliest.")
    ] = None,
    top_p: Annotated[
        float | None, typer.Option(metavar="SHARE", help="Draw from the likeliest with so much of the chance.")
    ] = None,
    stop: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="End where this comes. Repeat for several.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="Write here: music to .mid or .wav (sound), rows to .csv or .npz, pictures to .png or a folder.",
        ),
    ] = None,
    number: Annotated[
        int | None, typer.Option("--number", "-n", min=1, metavar="NUMBER", help="Rows or pictures to make (64).")
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(metavar="LABEL", help="Make rows or pictures of this class, if it was trained with them."),
    ] = None,
    tempo: Annotated[float, typer.Option(metavar="NUMBER", help="Of music, quarter notes a minute.")] = 80.0,
    seed: Annotated[int | None, typer.Option(min=0, metavar="NUMBER", help="The same gives the same.")] = None,
) -> None:
    """Write a text, or music, with a saved model of them; or make rows or pictures like those that it learned from."""
    from ganglion.cli.writing import write

    write(
        model,
        prompt,
        length=length,
        temperature=temperature,
        text={"top_k": top_k, "top_p": top_p, "stop": stop or []},
        out=out,
        tempo=tempo,
        random_state=seed,
        number=number,
        label=label,
    )


@app.command("serve")
def serve_command(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL…", help="Files that `train` wrote, as FILE or NAME=FILE; a name twice: versions."
        ),
    ],
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Listen here; any but 127.0.0.1 needs a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", "-p", metavar="NUMBER", help="0 takes a free one.")] = 8000,
    token: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What each request must bring; better in GANGLION_TOKEN.")
    ] = None,
    names: Annotated[
        list[str] | None, typer.Option("--name", metavar="NAME", help="A name of this machine to be asked by. Repeat.")
    ] = None,
    log: Annotated[
        Path | None, typer.Option("--log", metavar="FILE", help="Append counts of what comes, for `ganglion monitor`.")
    ] = None,
    engine: Annotated[
        str, typer.Option(metavar="NAME", help="auto: onnxruntime where the model can be exported; or torch.")
    ] = "auto",
) -> None:
    """Answer requests for saved models over HTTP: see /docs of the running server."""
    from ganglion.cli.serving import serve_models

    serve_models(models, host=host, port=port, token=token, names=names or [], log=log, engine=engine)


@app.command("export")
def export_command(
    model: Model,
    to: Annotated[
        Path,
        typer.Option(
            "--to",
            "-t",
            metavar="FILE",
            help="What to write; it ends with .onnx, .html or .c, or is a folder called container or triton.",
        ),
    ],
    rows: Annotated[
        Path | None, typer.Option(metavar="DATA", help="Rows to compare answers on, beside those that are made.")
    ] = None,
    quantized: Annotated[bool, typer.Option("--quantized", help="Write whole numbers of 8 bits (.c).")] = False,
    strings: Annotated[bool, typer.Option("--strings", help="Take texts, not ids of their tokens (.onnx).")] = False,
    as_json: Json = False,
) -> None:
    """Export a saved model, preprocessing inside, after its answers were compared with the original's."""
    from ganglion.cli.exporting import export_model

    asked = {"quantized": quantized, "strings": strings}
    export_model(model, to, rows=rows, asked=asked, as_json=as_json)


@app.command("monitor")
def monitor_command(
    source: Annotated[
        str, typer.Argument(metavar="LOG|URL", help="The file of `serve --log`, or the address of a running server.")
    ],
    hours: Annotated[float | None, typer.Option(metavar="NUMBER", help="Of a log, the last so many hours.")] = None,
    html: Annotated[Path | None, typer.Option("--html", "--report", metavar="HTML", help="Write a page here.")] = None,
    as_json: Json = False,
) -> None:
    """Show what has changed since training; exit code 3 where rows are not like those of training."""
    from ganglion.cli.monitoring import monitor_models

    monitor_models(source, hours=hours, html=html, as_json=as_json)


@app.command("list")
def list_command(
    name: Annotated[str | None, typer.Argument(metavar="ALGORITHM", help="Show the options of this one.")] = None,
    as_json: Json = False,
) -> None:
    """List the algorithms, or the options of one."""
    from ganglion.cli.commands import list_algorithms

    list_algorithms(name, as_json=as_json)


@app.command("doctor")
def doctor_command(as_json: Json = False) -> None:
    """Check the installation, package by package."""
    from ganglion.cli.doctor import examine

    examine(as_json=as_json)


def _version(value: bool) -> None:
    if value:
        from ganglion.version import __version__

        typer.echo(f"ganglion {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """scikit-learn for deep learning: from a file to a trained, honestly evaluated, saved model."""


def _let_the_first_speak() -> None:
    """Wait, as one of several workers, before an error is printed that all of them may have.

    When the first has said it and ended, the launcher ends the others.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and int(os.environ.get("RANK", "0")) > 0:
        time.sleep(5)


def run() -> None:
    """Run the command; an error that we know is one line on stderr and exit code 1, or 2 where an option is wrong."""
    from ganglion.errors import GanglionError, InvalidParameter

    try:
        app(prog_name="ganglion")
    except GanglionError as error:
        from ganglion.cli.screen import problem

        _let_the_first_speak()
        problem(str(error))
        sys.exit(2 if isinstance(error, InvalidParameter) else 1)
    except MemoryError:
        from ganglion.cli.screen import problem

        problem("there is not enough memory for this. Take fewer rows, or a machine with more.")
        sys.exit(1)
