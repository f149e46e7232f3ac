// SPDX-License-Identifier: MIT
// What every step writes to: the console, the page of the report, result.json, the folder of the results.
#pragma once

#include <concepts>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>
#include <recsys.hpp>

#include "console.hpp"
#include "disk.hpp"
#include "options.hpp"
#include "page.hpp"
#include "steps.hpp"

namespace music {

using header = std::vector<std::string>;
using rows_of_text = std::vector<std::vector<std::string>>;

/// For sentences: text("%zu of %zu", a, b).
template <class... Value> std::string text(char const* format, Value... values) {
    char out[1024];
    std::snprintf(out, sizeof out, format, values...);
    return out;
}

struct journal {
    /// Makes the folder of the results.
    explicit journal(options given);

    options set;
    input_size size; ///< of the input
    console say;
    music::page page{"Music recommendations, from raw CSV to a ranked list"};
    nlohmann::ordered_json result;
    step_book steps;

    /// The path of a file of the results. What a step names is among its results once the step is done.
    std::string file(std::string_view name);
    recsys::run_options run() { return {.threads = set.threads, .progress = say.bar()}; }
    /// A sentence that belongs on the console and in the report.
    void find(std::string const& sentence);
    void warn(std::string const& sentence);

    /// Runs a step, or takes over what an earlier run left of it: what it said, and by `load` what it made.
    /// @return what the step keeps in its file: the json that `run` returns, if it does.
    template <class Run, class Load> json once(step_plan const& plan, Run const& run, Load const& load) {
        return once_erased(
            plan,
            [&] {
                if constexpr (std::convertible_to<std::invoke_result_t<Run const&>, json>) return json(run());
                else return run(), json();
            },
            [&](json const& kept) {
                if constexpr (std::invocable<Load const&, json const&>) load(kept);
                else load();
            });
    }
    template <class Run> json once(step_plan const& plan, Run const& run) {
        return once(plan, run, [] {});
    }

private:
    json once_erased(step_plan const& plan, std::function<json()> const& run, std::function<void(json const&)> const& load);
    bool take_over(step_plan const& plan, std::function<void(json const&)> const& load, json& kept);

    std::vector<std::string> m_named;
};

/// The options of these names, as the command line spells them.
json options_of(options const& set, std::vector<std::string> const& names);

} // namespace music
