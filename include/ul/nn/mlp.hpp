#pragma once
// The feed-forward half of a transformer block.

#include <ul/nn/dropout.hpp>
#include <ul/nn/linear.hpp>
#include <ul/op/glu.hpp>

namespace ul::nn {

// gelu: its tanh form; geglu, swiglu: half of twice as many features gates the other (Shazeer 2020).
enum class mlp_kind { gelu, geglu, swiglu };

struct mlp_options {
  extent channels = 0;
  extent hidden = 0;  // 0: 4 channels
  mlp_kind kind = mlp_kind::gelu;
  double dropout = 0;  // of the hidden features
  initial out = initial::standard;
};

// x (..., channels) -> (..., channels).
// Parameters: in/weight (channels, hidden, or 2 hidden when gated: values | gates), in/bias, out/weight, out/bias.
template <backend B, element T>
class mlp {
 public:
  mlp(const scope<B, T>& s, const mlp_options& o)
      : options_(o),
        in_(s / "in", o.channels, (o.kind == mlp_kind::gelu ? 1 : 2) * hidden(o),
            {.act = o.kind == mlp_kind::gelu ? activation::gelu : activation::none}),
        out_(s / "out", hidden(o), o.channels, {.start = o.out}) {}

  var<B, T> operator()(const var<B, T>& x, const key* dropout = nullptr) const {
    return out_(dropped(gated(in_(x)), out_.weight(), options_.dropout, dropout));
  }

 private:
  static extent hidden(const mlp_options& o) { return o.hidden != 0 ? o.hidden : checked_mul(4, o.channels, "mlp"); }

  var<B, T> gated(const var<B, T>& h) const {
    switch (options_.kind) {
      case mlp_kind::geglu:
        return ul::geglu(h);
      case mlp_kind::swiglu:
        return ul::swiglu(h);
      case mlp_kind::gelu:
        break;
    }
    return h;
  }

  mlp_options options_;
  linear<B, T> in_, out_;
};

}  // namespace ul::nn
