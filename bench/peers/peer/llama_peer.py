"""llama.cpp's side of `go run ./bench/peers`: greedy generation by a Mamba, one
stream, one token a step, through the C library that llama-cpp-python built for
this machine. Loading is not part of any step.
"""
import ctypes
import json
import os
import sys

import gguf
import llama_cpp as lib
import numpy as np
from gguf.quants import quantize

import common

KINDS = {"f32": gguf.GGMLQuantizationType.F32, "bf16": gguf.GGMLQuantizationType.BF16, "q8_0": gguf.GGMLQuantizationType.Q8_0}
NAMES = {"norm.weight": "attn_norm.weight", "in_proj.weight": "ssm_in.weight", "conv1d.weight": "ssm_conv1d.weight",
         "conv1d.bias": "ssm_conv1d.bias", "mixer.x_proj.weight": "ssm_x.weight", "mixer.dt_proj.weight": "ssm_dt.weight",
         "mixer.dt_proj.bias": "ssm_dt.bias", "mixer.A_log": "ssm_a", "mixer.D": "ssm_d", "out_proj.weight": "ssm_out.weight"}
OUTER = {"embedding.weight": "token_embd.weight", "norm_f.weight": "output_norm.weight", "head.weight": "output.weight"}


def their_name(name):
    if name in OUTER:
        return OUTER[name]
    _, layer, rest = name.split(".", 2)
    return f"blk.{layer}.{NAMES[rest]}"


def write_gguf(path, p, job):
    """The model as llama.cpp reads it: matrices in the job's format, the rest in
    float32; no vocabulary of words, only its size."""
    w = gguf.GGUFWriter(path, "mamba")
    inner, state = p["layers.0.mixer.A_log"].shape
    w.add_context_length(2048)
    w.add_embedding_length(job["d"])
    w.add_feed_forward_length(0)
    w.add_head_count(0)
    w.add_block_count(job["layers"])
    w.add_ssm_conv_kernel(p["layers.0.conv1d.weight"].shape[1])
    w.add_ssm_inner_size(inner)
    w.add_ssm_state_size(state)
    w.add_ssm_time_step_rank(p["layers.0.mixer.dt_proj.weight"].shape[1])
    w.add_layer_norm_rms_eps(1e-5)
    w.add_vocab_size(job["vocab"])
    w.add_tokenizer_model("no_vocab")
    for name, t in p.items():
        if name.endswith("A_log"):
            t = -np.exp(t)
        kind = KINDS[job["variant"]]
        matrix = name.endswith(("_proj.weight", "embedding.weight", "head.weight"))
        if matrix and t.shape[1] % 32 == 0 and job["variant"] != "f32":  # 32 columns are a block of q8_0
            w.add_tensor(their_name(name), quantize(t, kind), raw_dtype=kind)
        else:
            w.add_tensor(their_name(name), t)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


@lib.llama_log_callback
def only_errors(level, text, _):
    if level >= 4:  # GGML_LOG_LEVEL_ERROR
        sys.stderr.write(text.decode())


class Generate:
    def __init__(self, job):
        p, _ = common.load(job["weights"])
        self.params = sum(t.size for t in p.values())
        path = job["weights"] + ".gguf"
        write_gguf(path, p, job)
        del p
        common.forget_peak()
        try:
            self.model = lib.llama_model_load_from_file(path.encode(), lib.llama_model_default_params())
        finally:
            os.remove(path)  # it stays mapped
        assert self.model, "llama.cpp does not load the model"
        c = lib.llama_context_default_params()
        c.n_ctx, c.n_batch, c.n_ubatch, c.n_seq_max = 2048, 1, 1, 1
        c.n_threads = c.n_threads_batch = job["threads"]
        self.context = lib.llama_init_from_model(self.model, c)
        assert self.context, "llama.cpp makes no context"
        self.vocab = job["vocab"]
        self.start()

    def start(self):
        lib.llama_memory_clear(lib.llama_get_memory(self.context), True)
        self.token, self.position = 0, 0

    def scores(self):
        if self.position == 2000:  # the positions end, the work of a step stays the same
            self.start()
        token = (lib.llama_token * 1)(self.token)
        failed = lib.llama_decode(self.context, lib.llama_batch_get_one(token, 1))
        assert failed == 0, failed
        self.position += 1
        out = lib.llama_get_logits(self.context)
        return np.ctypeslib.as_array(ctypes.cast(out, ctypes.POINTER(ctypes.c_float)), (self.vocab,))

    def step(self):
        self.token = int(self.scores().argmax())
        return self.token

    def warm(self, steps):
        """The tokens, then the greatest score that follows them."""
        return [self.step() for _ in range(steps)] + [float(self.scores().max())]


def main():
    job = json.loads(sys.argv[1])
    lib.llama_log_set(only_errors, ctypes.c_void_p(0))
    lib.llama_backend_init()
    base = common.status("VmHWM")
    common.serve(job, Generate(job), base, version=f"llama-cpp-python {lib.__version__}", cpu=lib.llama_print_system_info().decode().strip())


if __name__ == "__main__":
    main()
