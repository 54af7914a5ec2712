// oneDNN 2, and nothing where it is not found.

#include "peer.hpp"

#ifdef UL_COMPARE_ONEDNN
#include <omp.h>

#include <oneapi/dnnl/dnnl.hpp>
#endif

namespace benchmark {

#ifdef UL_COMPARE_ONEDNN

namespace {

using dnnl::memory;

std::string version() {
  const dnnl_version_t* v = dnnl_version();
  return "oneDNN " + std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
}
dnnl::engine& processor() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}
memory holding(const memory::desc& d, const allocator& room) {
  return memory(d, processor(), room(static_cast<long>(d.get_size() / sizeof(float)) + 16));
}

// Runs a primitive on memory in the layouts it prefers.
template <class Primitive, class Descriptor>
peer_work work_of(const std::string& name, const Descriptor& d, const std::vector<std::pair<int, memory::desc>>& held,
                  int threads, const allocator& room) {
  std::unordered_map<int, memory> arguments;
  for (const auto& [key, desc] : held) arguments.emplace(key, holding(desc, room));
  const Primitive primitive(d);
  return here(name, threads, [=] {
    omp_set_num_threads(threads);
    dnnl::stream stream(processor());
    primitive.execute(stream, arguments);
    stream.wait();
  });
}

}  // namespace

peer_work onednn_gemm(const gemm_case& c, int threads) {
  return here(version(), threads, [=] {
    omp_set_num_threads(threads);
    dnnl_sgemm('N', 'N', c.m, c.n, c.k, 1, c.a, c.k, c.b, c.n, 0, c.c, c.n);
  });
}

// In channels-last and in the layout the library chooses itself; for Winograd's algorithm only the latter.
std::vector<peer_work> onednn_conv(const conv_case& c, pass p, method m, int threads, const allocator& room) {
  const bool direct = m == method::direct;
  const auto algorithm = direct ? dnnl::algorithm::convolution_direct : dnnl::algorithm::convolution_winograd;
  std::vector<peer_work> all;
  for (const auto layout : {memory::format_tag::any, memory::format_tag::nhwc}) {
    if (!direct && layout != memory::format_tag::any) continue;
    try {
      const memory::desc image({c.batch, c.channels, c.side, c.side}, memory::data_type::f32, layout);
      const memory::desc filter({c.channels, c.channels, 3, 3}, memory::data_type::f32, memory::format_tag::any);
      const memory::dims ones{1, 1};
      using dnnl::convolution_backward_data, dnnl::convolution_backward_weights, dnnl::convolution_forward;
      const convolution_forward::primitive_desc forward(
          {dnnl::prop_kind::forward_training, algorithm, image, filter, image, ones, ones, ones}, processor());
      const std::string name = version() + (direct ? " direct" : " Winograd") +
                               (layout == memory::format_tag::nhwc ? ", channels last" : ", own layout");
      if (p == pass::forward)
        all.push_back(work_of<convolution_forward>(name, forward,
                                                   {{DNNL_ARG_SRC, forward.src_desc()},
                                                    {DNNL_ARG_WEIGHTS, forward.weights_desc()},
                                                    {DNNL_ARG_DST, forward.dst_desc()}},
                                                   threads, room));
      if (p == pass::data) {
        const convolution_backward_data::primitive_desc d({algorithm, image, filter, image, ones, ones, ones},
                                                          processor(), forward);
        all.push_back(work_of<convolution_backward_data>(name, d,
                                                         {{DNNL_ARG_DIFF_SRC, d.diff_src_desc()},
                                                          {DNNL_ARG_WEIGHTS, d.weights_desc()},
                                                          {DNNL_ARG_DIFF_DST, d.diff_dst_desc()}},
                                                         threads, room));
      }
      if (p == pass::weights) {
        const convolution_backward_weights::primitive_desc d({algorithm, image, filter, image, ones, ones, ones},
                                                             processor(), forward);
        all.push_back(work_of<convolution_backward_weights>(name, d,
                                                            {{DNNL_ARG_SRC, d.src_desc()},
                                                             {DNNL_ARG_DIFF_WEIGHTS, d.diff_weights_desc()},
                                                             {DNNL_ARG_DIFF_DST, d.diff_dst_desc()}},
                                                            threads, room));
      }
    } catch (const dnnl::error&) {
      // This method or layout is not made for the shape.
    }
  }
  return all;
}

#else

peer_work onednn_gemm(const gemm_case&, int) { return {}; }
std::vector<peer_work> onednn_conv(const conv_case&, pass, method, int, const allocator&) { return {}; }

#endif

}  // namespace benchmark
