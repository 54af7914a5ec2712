#pragma once

using layer = double (*)();

layer baseline_layer();
layer wide_layer();
