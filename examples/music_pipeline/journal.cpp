// SPDX-License-Identifier: MIT
#include "journal.hpp"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <utility>

namespace music {

namespace fs = std::filesystem;

namespace {

/// Bytes as text that JSON can hold, whatever they are: byte b becomes the character of that number.
std::string packed(std::string const& bytes) {
    std::string out;
    for (char const c : bytes) {
        auto const b = static_cast<unsigned char>(c);
        if (b < 0x80) out += c;
        else out += static_cast<char>(0xC0 | b >> 6), out += static_cast<char>(0x80 | (b & 0x3F));
    }
    return out;
}

std::string unpacked(std::string const& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto const b = static_cast<unsigned char>(text[i]);
        if (b < 0x80 || i + 1 == text.size()) out += text[i];
        else out += static_cast<char>((b & 3) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3F));
    }
    return out;
}

template <class All, class Convert> json list_of(All const& all, std::size_t first, Convert const& convert) {
    auto out = json::array();
    for (std::size_t i = first; i < all.size(); ++i) out.push_back(convert(all[i]));
    return out;
}

}

journal::journal(options given) : set(std::move(given)), steps(set.out, set.resume) { fs::create_directories(set.out); }

std::string journal::file(std::string_view name) {
    std::string const as_text(name);
    if (std::find(m_named.begin(), m_named.end(), as_text) == m_named.end()) m_named.push_back(as_text);
    return (fs::path(set.out) / as_text).string();
}

void journal::find(std::string const& sentence) {
    say.say(sentence);
    page.text(sentence);
}

void journal::warn(std::string const& sentence) {
    say.say("note: " + sentence);
    page.warning(sentence);
    result["warnings"].push_back(sentence);
}

bool journal::take_over(step_plan const& plan, std::function<void(json const&)> const& load, json& kept) {
    std::string why;
    auto const found = steps.find(plan, why);
    if (found) {
        auto const& said = found->said;
        try {
            load(said.at("kept"));
            std::vector<console::step_time> times;
            for (auto const& t : said.at("times"))
                times.push_back(
                    {t.at(0).get<std::string>(), t.at(1).get<double>(), t.at(2).get<double>(), t.size() > 3 ? t[3].get<double>() : 0});
            std::vector<std::string> printed;
            for (auto const& lines : said.at("printed")) printed.push_back(unpacked(lines.get<std::string>()));
            say.take_over(times, printed);
            for (auto const& part : said.at("page"))
                page.append({unpacked(part.at(0).get<std::string>()), unpacked(part.at(1).get<std::string>())});
            apply(said.at("result"), result);
            kept = said.at("kept");
            return true;
        } catch (recsys::format_error const& error) {
            steps.forget();
            why = error.what();
        }
    }
    if (!why.empty()) std::printf("step %s runs again: %s\n", plan.name.c_str(), why.c_str());
    return false;
}

json journal::once_erased(step_plan const& plan, std::function<json()> const& run, std::function<void(json const&)> const& load) {
    json kept;
    if (take_over(plan, load, kept)) return kept;
    say.done();
    steps.begin(plan);
    m_named.clear();
    auto const before = result;
    auto const n_printed = say.printed().size(), n_times = say.times().size(), n_parts = page.cut();
    kept = run();
    say.done();
    step_record record;
    for (auto const& name : m_named) {
        auto print = glance_at((fs::path(set.out) / name).string(), name);
        print.checksum = checksum_of((fs::path(set.out) / name).string());
        record.results.push_back(std::move(print));
    }
    record.said = {{"kept", kept},
                   {"times", list_of(say.times(), n_times,
                                     [](auto const& t) {
                                         return json{t.name, t.seconds, t.peak_mb, t.cpu_seconds};
                                     })},
                   {"printed", list_of(say.printed(), n_printed, [](auto const& lines) { return json(packed(lines)); })},
                   {"result", changes(before, result)},
                   {"page", list_of(page.parts(), n_parts, [](auto const& part) {
                        return json{packed(part.title), packed(part.html)};
                    })}};
    steps.finish(plan, std::move(record));
    return kept;
}

json options_of(options const& o, std::vector<std::string> const& names) {
    json const all{{"skip-bad-rows", o.skip_bad_rows},
                   {"users", o.users},
                   {"tracks", o.tracks},
                   {"events", o.events},
                   {"data-seed", o.data_seed},
                   {"repeats", o.repeats},
                   {"id-time-order", o.id_time_order},
                   {"format", o.as_columns ? "columns" : "csv"},
                   {"split", o.split},
                   {"future-days", o.future_days},
                   {"label-days", o.label_days},
                   {"popular-days", o.popular_days},
                   {"drop-empty-lists", o.drop_empty_lists},
                   {"factors", o.factors},
                   {"iterations", o.iterations},
                   {"refit-iterations", o.refit_iterations},
                   {"regularization", o.regularization},
                   {"alpha", o.alpha},
                   {"seed", o.seed},
                   {"tune-als", o.tune_als},
                   {"candidates", o.candidates},
                   {"negatives", o.negatives},
                   {"trees", o.trees},
                   {"depth", o.depth},
                   {"learning-rate", o.learning_rate},
                   {"patience", o.patience},
                   {"k", o.k},
                   {"resamples", o.resamples},
                   {"include-seen", o.include_seen},
                   {"show-user", o.show_user},
                   {"tables", o.tables},
                   {"no-candidate-tables", o.no_candidate_tables}};
    auto out = json::object();
    for (auto const& name : names) out[name] = all.at(name);
    return out;
}

} // namespace music
