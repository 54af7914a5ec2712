#pragma once
// The single source of the version: the build system reads this line.
#define UL_VERSION "0.1.0"
