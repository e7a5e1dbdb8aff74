"""`mammoseg serve`: a predictions folder, read by several people in their browsers."""

from pathlib import Path
from typing import Annotated

import typer

from mammoseg.cli import options


def serve(
    predictions: Annotated[Path, typer.Argument(metavar="FOLDER", help="Predictions; may still be growing.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for verdicts and pages; FOLDER_review if not given.")
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option("--manifest", "-m", help="Table of images: the truth, and files that were moved.")
    ] = None,
    hash_ids: options.HashIds = None,
    exams: Annotated[
        Path | None, typer.Option("--exams", dir_okay=False, help="Work list: exam ids, one a line, in their order.")
    ] = None,
    blinded: Annotated[
        bool, typer.Option("--blinded", help="Nothing of the model before a reader's verdict on the exam.")
    ] = False,
    host: Annotated[str, typer.Option("--host", help="Address to listen at; others than 127.0.0.1 need a token.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any that is free.")] = 8421,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", dir_okay=False, help="File with the token; one is made without it.")
    ] = None,
) -> int:
    """Show predictions to readers in their browsers, and keep their verdicts.

    The pages are those of `report`, made when they are asked for. Verdicts are kept in OUT/verdicts.sqlite and OUT/verdicts.csv,
    and none is ever changed. Ends with Ctrl-C; the same command continues.
    """
    from mammoseg.data.manifest import load_manifest
    from mammoseg.ingest.pseudonyms import read_salt, with_pseudonyms
    from mammoseg.io.outputs import writing_to
    from mammoseg.reviewer import server

    server.check_installed()
    folder = options.writable(out or predictions.resolve().with_name(f"{predictions.resolve().name}_review"))
    if folder.resolve() == predictions.resolve():
        raise typer.BadParameter("these are the predictions themselves. Give another folder.", param_hint="--out")
    table = load_manifest(manifest) if manifest else None
    table = with_pseudonyms(table, read_salt(hash_ids)) if table and hash_ids else table
    order = server.read_order(exams) if exams else None
    token = server.read_token(token_file) if token_file else None
    if host not in server.LOOPBACK and token is None:
        token = server.new_token()
        print(f"Token, which is asked for once: {token}")
    settings = server.Settings(predictions, folder, table, order, blinded, host, port, token)
    with writing_to(folder, "pages", "failures"):
        server.serve(settings, lambda address: print(f"{address} shows {predictions}. Ctrl-C ends it.", flush=True))
    return 0
