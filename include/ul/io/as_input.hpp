#pragma once
// Whose fault it is: what goes wrong while a file is read is the file's.

#include <string>
#include <string_view>
#include <utility>

#include <ul/core/error.hpp>
#include <ul/io/printable.hpp>

namespace ul {

// What read() returns. A ul::error of it names the file, and what would be the caller's mistake, of the kind `usage`,
// is of the kind `input`.
template <class Read>
auto as_input(std::string_view file, Read&& read) {
  try {
    return std::forward<Read>(read)();
  } catch (const error& e) {
    const std::string_view text = e.what();
    const std::string name = printable(file);
    const error_kind kind = e.kind() == error_kind::usage ? error_kind::input : e.kind();
    if (text.starts_with(name)) fail_as(kind, text);
    fail_as(kind, name, ": ", text);
  }
}

}  // namespace ul
