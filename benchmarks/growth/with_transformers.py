"""Depth up-scaling as tutorials show it: load, deepcopy layers, save."""

import copy
import sys

import torch
from transformers import AutoModelForCausalLM

base, drop, output = sys.argv[1], int(sys.argv[2]), sys.argv[3]
model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16)
layers = model.model.layers
n = len(layers)
grown = [layers[i] for i in range(n - drop)]
grown += [copy.deepcopy(layers[i]) for i in range(drop, n)]
for index, layer in enumerate(grown):
    layer.self_attn.layer_idx = index
model.model.layers = torch.nn.ModuleList(grown)
model.config.num_hidden_layers = len(grown)
model.save_pretrained(output)
