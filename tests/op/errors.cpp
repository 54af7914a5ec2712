// Bad input gets one error that names the op, what it found and what it expected.

#include <doctest/doctest.h>

#include <ul/backend/reference.hpp>
#include <ul/op/all.hpp>

using namespace ul;

namespace {

struct maker {
  reference device;
  tensor<reference, float> operator()(std::initializer_list<extent> shape) {
    return zeros<float>(device, extents(shape));
  }
  tensor<reference, std::int32_t> ids(std::initializer_list<extent> shape) {
    return zeros<std::int32_t>(device, extents(shape));
  }
};

}  // namespace

TEST_CASE("arithmetic says which shapes do not fit") {
  maker t;
  CHECK_THROWS_WITH(add(t({2, 3}), t({2})), "add: (2) does not broadcast to (2, 3)");
  CHECK_THROWS_WITH(sub(t({3}), t({1, 3})), "sub: (1, 3) does not broadcast to (3)");
  CHECK_THROWS_WITH(mul(t({2, 3, 4, 5}), t({2, 1, 4, 1})), "mul: (2, 1, 4, 1) does not broadcast to (2, 3, 4, 5)");
  CHECK_THROWS_WITH(div(t({2, 3, 4, 5}), t({1, 3, 4, 1})), "div: (1, 3, 4, 1) does not broadcast to (2, 3, 4, 5)");
  CHECK_THROWS_WITH(add(t({2, 1}), t({2, 3})), "add: (2, 3) does not broadcast to (2, 1)");
  CHECK_THROWS_WITH(expand(t({2}), {3, 3}), "expand: (2) does not broadcast to (3, 3)");
  CHECK_THROWS_WITH(gated_add(t({3}), t({3}), t({3})), "gated_add: x is (3), expected (B, ..., C)");
  CHECK_THROWS_WITH(gated_add(t({2, 4, 3}), t({2, 3}), t({2, 3})), "gated_add: y is (2, 3), x is (2, 4, 3)");
  CHECK_THROWS_WITH(gated_add(t({2, 4, 3}), t({3, 2}), t({2, 4, 3})), "gated_add: gate is (3, 2), expected (2, 3)");
  CHECK_THROWS_WITH(combine(t({3}), t({2, 3}), t({2}), t({2, 3})), "combine: a is (3), expected (2)");
  CHECK_THROWS_WITH(combine(t({2}), t({2, 3}), t({}), t({2, 3})), "combine: b is (), expected (2)");
  CHECK_THROWS_WITH(combine(t({2}), t({2, 3}), t({2}), t({3, 2})), "combine: y is (3, 2), x is (2, 3)");
}

TEST_CASE("reductions and losses say what they expected") {
  maker t;
  CHECK_THROWS_WITH(mean(t({2, 0})), "mean: x is (2, 0), expected at least one element");
  CHECK_THROWS_WITH(sum_samples(t({})), "sum_samples: x is (), expected (B, ...)");
  CHECK_THROWS_WITH(mean_positions(t({4})), "mean_positions: x is (4), expected (B, ..., C)");
  CHECK_THROWS_WITH(mean_positions(t({4, 0, 2})), "mean_positions: x is (4, 0, 2), expected at least one position");
  CHECK_THROWS_WITH(squared_error(t({2, 3}), t({3, 2}), t({2})), "squared_error: y is (3, 2), x is (2, 3)");
  CHECK_THROWS_WITH(squared_error(t({2, 3}), t({2, 3}), t({3})), "squared_error: weights are (3), expected (2)");
  CHECK_THROWS_WITH(cross_entropy(t({2, 3}), t.ids({3})), "cross_entropy: labels are (3), logits (2, 3)");
  CHECK_THROWS_WITH(cross_entropy(t({2, 0}), t.ids({2})),
                    "cross_entropy: logits are (2, 0), expected at least one class");
  CHECK_THROWS_WITH(softmax(t({})), "softmax: x is (), expected (..., K)");
  CHECK_THROWS_WITH(log_softmax(t({})), "log_softmax: x is (), expected (..., K)");
}

TEST_CASE("products and convolutions say which channels do not meet") {
  maker t;
  CHECK_THROWS_WITH(linear(t({2, 3}), t({4, 5})), "linear: x is (2, 3), weight expects 4 features");
  CHECK_THROWS_WITH(linear(t({2, 3}), t({3})), "linear: weight is (3), expected (in, out)");
  CHECK_THROWS_WITH(linear(t({2, 3}), t({3, 5}), t({4})), "linear: bias is (4), weight gives 5 features");
  CHECK_THROWS_WITH(matmul(t({2, 3}), t({4, 5})), "matmul: a is (2, 3), b is (4, 5): 3 columns meet 4 rows");
  CHECK_THROWS_WITH(matmul(t({1, 2, 3}), t({2, 3, 4})),
                    "matmul: a is (1, 2, 3), b is (2, 3, 4), expected matrices with equal leading axes");
  CHECK_THROWS_WITH(conv(t({2, 3}), t({3, 3})), "conv: x is (2, 3), expected (B, 1 to 3 spatial axes, C)");
  CHECK_THROWS_WITH(conv(t({1, 4, 4, 2}), t({3, 2, 1})),
                    "conv: weight is (3, 2, 1), expected (2 kernel axes, Cin, Cout)");
  CHECK_THROWS_WITH(conv(t({1, 4, 4, 2}), t({3, 3, 3, 1})),
                    "conv: x is (1, 4, 4, 2), weight (3, 3, 3, 1) expects 3 channels");
  CHECK_THROWS_WITH(conv(t({1, 4, 4, 0}), t({3, 3, 0, 1})),
                    "conv: weight is (3, 3, 0, 1), expected at least one channel");
  CHECK_THROWS_WITH(conv(t({1, 0, 4, 2}), t({3, 3, 2, 1})),
                    "conv: x is (1, 0, 4, 2), expected spatial extents of at least 1");
  CHECK_THROWS_WITH(conv_transpose(t({1, 4, 2}), t({3, 0, 2})),
                    "conv_transpose: weight is (3, 0, 2), expected at least one channel");
  CHECK_THROWS_WITH(conv(t({1, 4, 4, 2}), t({3, 3, 2, 1}), t({2})), "conv: bias is (2), weight gives 1 channels");
  CHECK_THROWS_WITH(conv(t({1, 4, 4, 2}), t({3, 3, 2, 1}), {.stride = 0}),
                    "conv: kernel is 3, stride 0, expected at least 1");
  CHECK_THROWS_WITH(conv(t({1, 4, 4, 2}), t({3, 3, 2, 1}), {.stride = {1, 2, 1}}),
                    "conv: stride: 3 numbers for 2 spatial axes");
  CHECK_THROWS_WITH(conv(t({1, 4, 4, 2}), t({3, 3, 2, 1}), {.pad = -2}),
                    "conv: padding is -2 and -2, expected at least 0");
  CHECK_THROWS_WITH(conv(t({1, 2, 4, 2}), t({3, 3, 2, 1}), {.pad = 0}),
                    "conv: axis 1 of x (1, 2, 4, 2) is 2 with padding, smaller than the kernel's 3");
  CHECK_THROWS_WITH(conv_transpose(t({1, 4, 2}), t({3, 3, 5})),
                    "conv_transpose: x is (1, 4, 2), weight (3, 3, 5) expects 5 channels");
  CHECK_THROWS_WITH(conv_transpose(t({1, 4, 2}), t({3, 3, 2}), t({2})),
                    "conv_transpose: bias is (2), weight gives 3 channels");
  CHECK_THROWS_WITH(conv_transpose(t({1, 4, 2}), t({3, 3, 2}), {.pad = 3}),
                    "conv_transpose: pad is 3, expected 0 to 2");
  CHECK_THROWS_WITH(conv_transpose(t({1, 4, 2}), t({3, 3, 2}), {.stride = 2, .extra = 2}),
                    "conv_transpose: extra is 2, expected 0 to 1");
  CHECK_THROWS_WITH(conv_transpose(t({1, 0, 2}), t({3, 3, 2})),
                    "conv_transpose: x is (1, 0, 2), expected spatial extents of at least 1");
  CHECK_THROWS_WITH(conv_transpose(t({1, 1, 2}), t({3, 3, 2}), {.pad = 2}),
                    "conv_transpose: axis 1 of x (1, 1, 2) would give -1 outputs with pad 2");
}

TEST_CASE("norms and attention say how channels do not divide") {
  maker t;
  const tensor<reference, float> none;
  CHECK_THROWS_WITH(group_norm(t({4}), none, none, {.groups = 2}), "group_norm: x is (4), expected (B, ..., C)");
  CHECK_THROWS_WITH(group_norm(t({2, 6}), none, none, {.groups = 4}),
                    "group_norm: 6 channels do not divide into 4 groups");
  CHECK_THROWS_WITH(group_norm(t({2, 6}), t({5}), none, {.groups = 2}), "group_norm: weight is (5), x has 6 channels");
  CHECK_THROWS_WITH(layer_norm(t({2, 6}), none, t({5})), "layer_norm: bias is (5), x has 6 channels");
  CHECK_THROWS_WITH(rms_norm(t({}), none), "rms_norm: x is (), expected (..., C)");
  CHECK_THROWS_WITH(modulated_norm(t({2, 5, 6}), t({2, 5}), t({2, 6})),
                    "modulated_norm: scale is (2, 5), expected (2, 6)");
  CHECK_THROWS_WITH(modulated_norm(t({2, 5, 6}), t({2, 6}), t({6})), "modulated_norm: shift is (6), expected (2, 6)");
  CHECK_THROWS_WITH(attention(t({2, 6}), t({2, 6}), t({2, 6}), {.heads = 2}),
                    "attention: q is (2, 6), expected (B, N, channels)");
  CHECK_THROWS_WITH(attention(t({2, 3, 6}), t({2, 4, 5}), t({2, 4, 5}), {.heads = 2}),
                    "attention: k is (2, 4, 5), expected (2, M, 6)");
  CHECK_THROWS_WITH(attention(t({2, 3, 6}), t({2, 4, 6}), t({2, 5, 6}), {.heads = 2}),
                    "attention: v is (2, 5, 6), k is (2, 4, 6)");
  CHECK_THROWS_WITH(attention(t({2, 3, 6}), t({2, 4, 6}), t({2, 4, 6}), {.heads = 4}),
                    "attention: 6 channels do not divide into 4 heads");
  CHECK_THROWS_WITH(attention(t({2, 3, 6}), t({2, 0, 6}), t({2, 0, 6}), {.heads = 2}),
                    "attention: there are 3 queries but no keys");
  CHECK_THROWS_WITH(self_attention(t({2, 3, 7}), {.heads = 1}),
                    "self_attention: qkv is (2, 3, 7), expected (B, N, 3 * channels)");
  CHECK_THROWS_WITH(rope(t({2, 3, 6}), t({3, 2}), {.heads = 1}), "rope: angles are (3, 2), expected (3, 3)");
  CHECK_THROWS_WITH(rope(t({2, 3, 6}), t({3, 2}), {.heads = 2}),
                    "rope: 6 channels do not divide into pairs in 2 heads");
  CHECK_THROWS_WITH(swiglu(t({2, 3})), "swiglu: x is (2, 3), expected (..., 2 C)");
  CHECK_THROWS_WITH(embedding(t({3}), t.ids({2})), "embedding: the table is (3), expected (K, D)");
  CHECK_THROWS_WITH(dropout(t({3}), key(1), 1), "dropout: the rate is 1, expected at least 0 and below 1");
}

TEST_CASE("moving elements says which do not exist") {
  maker t;
  CHECK_THROWS_WITH(reshape(t({2, 3}), {5}), "reshape: (2, 3) has 6 elements, (5) has 5");
  CHECK_THROWS_WITH(permute(t({2, 3}), {0, 0}), "permute: the order (0, 0) is none of the axes of (2, 3)");
  CHECK_THROWS_WITH(permute(t({2, 3}), {0, 1, 2}), "permute: the order (0, 1, 2) is none of the axes of (2, 3)");
  CHECK_THROWS_WITH(slice(t({2, 3}), 1, 2, 2), "slice: entries [2, 4) of axis 1 of (2, 3) do not exist");
  CHECK_THROWS_WITH(slice(t({2, 3}), 2, 0, 0), "extents: axis 2 of (2, 3) does not exist");
  CHECK_THROWS_WITH(split(t({2, 3}), -1, 2), "split: axis -1 of (2, 3) does not divide into 2");
  CHECK_THROWS_WITH(concat(0, t({2, 3}), t({2, 4})), "concat: (2, 4) does not fit beside (2, 3) along axis 0");
  CHECK_THROWS_WITH(pad(t({2, 3}), {.low = 1}), "pad: x is (2, 3), expected (B, 1 to 3 spatial axes, C)");
  CHECK_THROWS_WITH(pad(t({2, 3, 1}), {.low = -1}), "pad: the border is -1 and 0, expected at least 0");
  CHECK_THROWS_WITH(crop(t({2, 3, 1}), {.low = 2, .high = 2}),
                    "crop: axis 1 of (2, 3, 1) is shorter than the border 2 and 2");
  CHECK_THROWS_WITH(resize(t({2, 3, 1}), {4, 4}, interpolation::nearest),
                    "resize: the grid is (4, 4), x (2, 3, 1) has 1 spatial axes");
  CHECK_THROWS_WITH(resize(t({2, 0, 1}), extents{4}, interpolation::nearest),
                    "resize: x is (2, 0, 1), the grid (4), expected extents of at least 1");
  CHECK_THROWS_WITH(avg_pool(t({2, 3, 1}), 2), "avg_pool: axis 1 of x (2, 3, 1) does not divide into blocks of 2");
  CHECK_THROWS_WITH(patchify(t({2, 3, 4, 1}), 2),
                    "patchify: axis 1 of x (2, 3, 4, 1) does not divide into patches of 2");
  CHECK_THROWS_WITH(unpatchify(t({2, 3, 4, 6}), 2),
                    "unpatchify: 6 channels of x (2, 3, 4, 6) do not divide into patches of 4 positions");
  CHECK_THROWS_WITH(per_axis({1, 2, 3, 4}), "per_axis: 4 numbers, expected 1 to 3");
}
