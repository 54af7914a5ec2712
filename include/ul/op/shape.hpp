#pragma once
// The ops that move elements and change none: reshape, permute, slice, split, concat, expand.

#include <ul/op/concat.hpp>
#include <ul/op/expand.hpp>
#include <ul/op/permute.hpp>
#include <ul/op/reshape.hpp>
#include <ul/op/slice.hpp>
