// SPDX-License-Identifier: MIT
// What every step writes to: the console, the page of the report, result.json, the folder of the results.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>
#include <recsys.hpp>

#include "console.hpp"
#include "options.hpp"
#include "page.hpp"

namespace music {

using header = std::vector<std::string>;
using rows_of_text = std::vector<std::vector<std::string>>;

struct journal {
    explicit journal(options given) : set(std::move(given)) {}

    options set;
    console say;
    music::page page{"Music recommendations, from raw CSV to a ranked list"};
    nlohmann::ordered_json result;

    std::string file(std::string_view name) const { return (std::filesystem::path(set.out) / name).string(); }
    recsys::run_options run() { return {.threads = set.threads, .progress = say.bar()}; }
    /// A sentence that belongs on the console and in the report.
    void find(std::string const& sentence) {
        say.say(sentence);
        page.text(sentence);
    }
    void warn(std::string const& sentence) {
        say.say("note: " + sentence);
        page.warning(sentence);
        result["warnings"].push_back(sentence);
    }
};

/// For sentences: text("%zu of %zu", a, b).
template <class... Value> std::string text(char const* format, Value... values) {
    char out[1024];
    std::snprintf(out, sizeof out, format, values...);
    return out;
}

} // namespace music
