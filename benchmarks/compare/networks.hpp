#pragma once
// The two networks of the comparison with PyTorch. `torch_networks.cpp` and `peer.py` beside this file write them with
// PyTorch's blocks; tests/nn/networks.cpp holds their numbers of parameters and their functions against PyTorch's.

#include <ul/nn/u_net.hpp>
#include <ul/nn/vit.hpp>

namespace benchmark {

// Of pictures 32 x 32 x 3: two residual blocks a level, attention after each of the last level's. 5,235,459 parameters.
inline ul::nn::u_net_options peer_u_net() {
  return {.in = 3,
          .channels = {64, 128, 256},
          .attention = {2},
          .noise = {.features = 256, .sinusoids = {.features = 64, .scale = 1000}}};
}

// Of latents 16 x 16 x 8, every position a token. 16,606,856 parameters.
inline ul::nn::vit_options peer_vit() {
  return {.grid = {16, 16},
          .in = 8,
          .noise = {.features = 384, .sinusoids = {.scale = 1000}},
          .stack = {.block = {.channels = 384, .heads = 6}, .depth = 6, .positions = ul::nn::position::learned}};
}

}  // namespace benchmark
