"""Models from the Hugging Face hub, for those who choose one by name and can reach it."""

from pathlib import Path

from helpers.errors import HelpfulError


class HubError(HelpfulError):
    """A model that could not be had from the hub, and what to do about it."""


def hub_model(name: str, patterns: list[str]) -> Path:
    """The folder of a model, downloaded into the hub's own cache the first time.

    Args:
        name: as on the hub, such as ``"google-bert/bert-base-uncased"``, or a folder of yours
            that holds the same files.
        patterns: the files that are wanted, such as ``["*.json", "*.safetensors"]``.

    Raises:
        HubError: there is no such model, it is not open to you, or the hub cannot be reached.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    from huggingface_hub import constants, errors, snapshot_download

    host = constants.ENDPOINT.partition("://")[2]
    try:
        return Path(snapshot_download(name, allow_patterns=patterns))
    except errors.HFValidationError:
        raise HubError(
            f"{name!r} is neither a folder here nor the name of a model; write the name as {host} "
            "shows it, such as sentence-transformers/all-mpnet-base-v2."
        ) from None
    except errors.GatedRepoError:
        raise HubError(
            f"{name} on {host} is only for those who accepted its terms; do so there, set "
            "HF_TOKEN, and try again."
        ) from None
    except errors.RepositoryNotFoundError:
        raise HubError(f"There is no model {name} on {host}; check its name there.") from None
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, OSError) as error:
        raise HubError(
            f"{name} could not be had from {host} and is not in this computer's cache "
            f"({type(error.__cause__ or error).__name__}); check the network, or give the path of "
            "a folder that holds the model."
        ) from None
