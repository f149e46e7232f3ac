// SPDX-License-Identifier: MIT
// Our rows beside those that others measured on the real log: how far rows lie apart, not how large they are.
#pragma once

#include "journal.hpp"

namespace music {

/// A table and a finding for the report, the console and result.json: als / popular and ranked / als in precision, recall and NDCG.
void compare_with_others(journal& log, recsys::evaluation const& table);

} // namespace music
