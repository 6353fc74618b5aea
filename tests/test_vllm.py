"""A baked checkpoint in vLLM, in a process of its own; skipped where it is not installed, since it pins much."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest
import torch

import interlingua as il
from conftest import make_model
from test_interventions import some_edit

SERVE = """
import json, sys
from vllm import LLM, SamplingParams

served = LLM(sys.argv[1], dtype="float32", enforce_eager=True, max_model_len=64, max_num_seqs=1)
prompt = {"prompt_token_ids": json.loads(sys.argv[2])}
done = served.generate([prompt], SamplingParams(temperature=0, max_tokens=12, ignore_eos=True, detokenize=False))
print("TOKENS", json.dumps(list(done[0].outputs[0].token_ids)))
"""
SETTINGS = {
    "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind", "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="vLLM is not installed")
@pytest.mark.parametrize("family", ["llama", "qwen2"])
def test_vllm_writes_what_the_steered_model_does(family, tmp_path):
    model = make_model(family, hidden_size=128, num_attention_heads=4, head_dim=32)
    edit = some_edit(model, "mixed", shift=True)
    il.bake(model, edit).save_pretrained(tmp_path / "baked")
    ids = model.tokenizer("un perro")["input_ids"]
    with edit.applied_to(model, "hooks"), torch.no_grad():
        options = {"min_new_tokens": 12, "max_new_tokens": 12, "do_sample": False}
        expected = model.hf.generate(torch.tensor([ids]), **options)[0].tolist()[len(ids) :]
    done = subprocess.run(
        [sys.executable, "-c", SERVE, str(tmp_path / "baked"), json.dumps(ids)],
        env={**os.environ, **SETTINGS}, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    line = next(line for line in done.stdout.splitlines() if line.startswith("TOKENS "))
    assert json.loads(line.removeprefix("TOKENS ")) == expected
