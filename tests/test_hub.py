"""Artefacts to the Hub and back, against a fake of it on disk: there is no network in tests."""

import shutil

import pytest

import interlingua as il
from interlingua.errors import ArtifactError


class FakeHub:
    """Keeps repositories in a folder, behind the functions of huggingface_hub that are called."""

    def __init__(self, root):
        self.root = root

    def create_repo(self, repo_id, *, private, exist_ok):
        (self.root / repo_id).mkdir(parents=True, exist_ok=exist_ok)
        return type("RepoUrl", (), {"repo_id": repo_id})()

    def upload_folder(self, *, repo_id, folder_path, commit_message, **unused):
        shutil.copytree(folder_path, self.root / repo_id, dirs_exist_ok=True)
        return f"https://hub.example/{repo_id}/commit/1"

    def snapshot_download(self, repo_id, *, revision, token, library_name):
        if not (self.root / repo_id).is_dir():
            raise OSError("404 Client Error: not found")
        return str(self.root / repo_id)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    import inspect

    import huggingface_hub

    fake = FakeHub(tmp_path / "hub")
    # The fake must take what the real functions take.
    for name in ("create_repo", "upload_folder", "snapshot_download"):
        real = inspect.signature(getattr(huggingface_hub, name)).parameters
        assert set(inspect.signature(getattr(fake, name)).parameters) - {"unused"} <= set(real), name
    monkeypatch.setattr(huggingface_hub.hub_mixin, "HfApi", lambda token: fake)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", fake.snapshot_download)
    return fake


def test_an_intervention_goes_to_the_hub_and_comes_back(hub, experts):
    edit = il.set_to_mean(experts, "es", 30)
    assert edit.push_to_hub("someone/spanish") == "https://hub.example/someone/spanish/commit/1"
    assert il.Intervention.from_pretrained("someone/spanish").content_hash() == edit.content_hash()
    assert {path.name for path in (hub.root / "someone/spanish").iterdir()} == {
        "README.md", "intervention.safetensors", "manifest.json",
    }  # fmt: skip


def test_experts_go_to_the_hub_and_come_back(hub, experts):
    experts.push_to_hub("someone/experts", private=True)
    assert (il.Experts.from_pretrained("someone/experts").auroc == experts.auroc).all()


def test_what_is_not_there_is_an_error(hub):
    with pytest.raises(ArtifactError, match="cannot get 'someone/nothing' from the Hub: 404"):
        il.Intervention.from_pretrained("someone/nothing")
