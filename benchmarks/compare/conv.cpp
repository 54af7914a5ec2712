// 3 x 3 convolutions: forward, and the gradients in the data and in the weights.

#include "cases.hpp"

namespace benchmark {

void compare_conv(const contest& o) {
  const conv_case sizes[] = {{16, 64, 64}, {16, 32, 128}, {16, 16, 256}, {64, 32, 64}, {64, 14, 64}, {64, 7, 128}};
  const char* const names[] = {"forward", "data", "weights"};
  const bar usual[] = {{1.4, 1.7}, {1.4, 1.8}, {0.9, 1.6}}, with_avx2[] = {{1.2, 1.6}, {1.2, 1.6}, {0.9, 1.4}};
  const bar odd = o.held_to({0.9, 1.3}, {}), winograd = o.held_to({0.7, 0.85}, {});
  for (const conv_case& c : sizes)
    for (const pass p : {pass::forward, pass::data, pass::weights}) {
      const std::string side = std::to_string(c.side), name = "conv " + std::to_string(c.batch) + "x" + side + "x" +
                                                              side + "x" + std::to_string(c.channels) + " " +
                                                              names[static_cast<int>(p)];
      if (!o.all.wants(name)) continue;
      ul::conv_shape s{.batch = c.batch, .axis = {}, .channels_in = c.channels, .channels_out = c.channels};
      s.axis[1] = s.axis[2] = {.in = c.side, .out = c.side, .kernel = 3, .stride = 1, .pad = 1};
      arrays array(o.device);
      const long count = c.batch * c.side * c.side * c.channels;
      float *const x = array(count), *const y = array(count), *const w = array(9 * c.channels * c.channels);
      const auto ours = [&] {
        switch (p) {
          case pass::forward:
            return o.device.run(ul::conv_forward<float>{.shape = s, .x = x, .weight = w, .y = y});
          case pass::data:
            return o.device.run(ul::conv_data<float>{.shape = s, .dy = y, .weight = w, .dx = x});
          case pass::weights:
            return o.device.run(ul::conv_weights<float>{.shape = s, .x = x, .dy = y, .dweight = w});
        }
      };
      const allocator room = [&](long n) { return array(n); };
      const bool tiles_fit = c.side % 4 == 0;
      const int i = static_cast<int>(p);
      o.all.run(name, o.threads, tiles_fit ? o.held_to(usual[i], with_avx2[i]) : odd, ours,
                onednn_conv(c, p, method::direct, o.threads, room));
      o.all.run(name, o.threads, winograd, ours, onednn_conv(c, p, method::winograd, o.threads, room));
      o.against_torch(name, tiles_fit ? o.held_to({}, with_avx2[i]) : bar{},
                      {tiles_fit && p != pass::weights ? 1.0 : 0.85}, ours);
    }
}

}  // namespace benchmark
