// SPDX-License-Identifier: MIT
#include "steps.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>

#include <recsys.hpp>

#include "stopping.hpp"

namespace music {

namespace fs = std::filesystem;

namespace {

constexpr int format = 1;

std::string hex(std::uint64_t value) {
    char out[17];
    std::snprintf(out, sizeof out, "%016llx", static_cast<unsigned long long>(value));
    return out;
}

/// Text that is no UTF-8 does not end the run here.
std::string text_of(json const& value, int indent = -1) { return value.dump(indent, ' ', false, json::error_handler_t::replace); }

std::string hash_of(std::string const& text) { return hex(recsys::detail::hash_bytes(text)); }

std::string program() { return "music_pipeline, recsys " + std::to_string(RECSYS_VERSION); }

json to_json(file_print const& f) { return {{"name", f.name}, {"bytes", f.bytes}, {"modified", f.modified}, {"checksum", f.checksum}}; }

file_print from_json(json const& j) {
    return {j.at("name").get<std::string>(), j.at("bytes").get<std::uint64_t>(), j.at("modified").get<std::int64_t>(),
            j.at("checksum").get<std::string>()};
}

/// What stays the same when a step is done again: its options, what it read, what it wrote.
std::string identity_in(json const& record) {
    auto text = text_of(record.at("key"));
    for (auto const* const files : {"inputs", "results"})
        for (auto const& file : record.at(files)) text += file.at("name").get<std::string>() + file.at("checksum").get<std::string>();
    return hash_of(text);
}

/// The first member that differs, as a sentence.
std::string difference(json const& was, json const& is) {
    for (auto const& [name, value] : is.items())
        if (!was.contains(name) || was.at(name) != value)
            return name + " was " + (was.contains(name) ? was.at(name).dump() : "not there") + ", is " + value.dump();
    return "it was made otherwise";
}

}

file_print glance_at(std::string const& path, std::string const& name) {
    std::error_code fault;
    auto const bytes = fs::file_size(path, fault);
    if (fault) throw std::runtime_error(path + ": " + fault.message());
    auto const modified = fs::last_write_time(path, fault);
    if (fault) throw std::runtime_error(path + ": " + fault.message());
    return {name, bytes, static_cast<std::int64_t>(modified.time_since_epoch().count()), {}};
}

std::string checksum_of(std::string const& path) {
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
    if (!file) throw std::runtime_error(path + ": cannot be opened: " + std::strerror(errno));
    std::string block(std::size_t{1} << 22, '\0');
    std::uint64_t hash = 0;
    for (;;) {
        auto const n = std::fread(block.data(), 1, block.size(), file.get());
        if (n > 0) hash = recsys::detail::hash_bytes(std::string_view(block.data(), n), hash);
        if (n < block.size()) break;
        check_stop();
    }
    if (std::ferror(file.get())) throw std::runtime_error(path + ": cannot be read: " + std::strerror(errno));
    return hex(hash);
}

void write_whole(std::string const& path, std::string const& text) {
    auto const part = path + ".part";
    std::ofstream out(part, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    std::error_code fault;
    if (out) fs::rename(part, path, fault);
    if (!out || fault) {
        auto const why = fault ? fault.message() : std::string(std::strerror(errno));
        fs::remove(part, fault);
        throw std::runtime_error(path + ": cannot be written: " + why);
    }
}

json changes(json const& from, json const& to) {
    if (from.is_object() && to.is_object()) {
        auto out = json::object();
        for (auto const& [name, value] : to.items())
            if (!from.contains(name)) out[name] = {{"$set", value}};
            else if (from.at(name) != value) out[name] = changes(from.at(name), value);
        return out;
    }
    if (from.is_array() && to.is_array() && from.size() <= to.size() && std::equal(from.begin(), from.end(), to.begin()))
        return {{"$append", json(std::vector<json>(to.begin() + static_cast<std::ptrdiff_t>(from.size()), to.end()))}};
    return {{"$set", to}};
}

void apply(json const& changes, json& to) {
    if (changes.contains("$set")) to = changes.at("$set");
    else if (changes.contains("$append")) to.insert(to.end(), changes.at("$append").begin(), changes.at("$append").end());
    else
        for (auto const& [name, value] : changes.items()) apply(value, to[name]);
}

step_book::step_book(std::string folder, bool resume) : m_folder(std::move(folder)), m_resume(resume) {
    // What a run that was killed had half written.
    for (auto const& in : {fs::path(m_folder), fs::path(m_folder) / "steps", fs::path(m_folder) / "data"})
        if (fs::is_directory(in))
            for (auto const& entry : fs::directory_iterator(in))
                if (entry.path().extension() == ".part") fs::remove(entry.path());
}

std::string step_book::path_of(std::string const& step) const { return (fs::path(m_folder) / "steps" / (step + ".json")).string(); }

std::string const& step_book::identity_of(std::string const& step) const {
    for (auto const& [name, identity] : m_identities)
        if (name == step) return identity;
    throw std::logic_error("step " + step + " has not been done");
}

json step_book::key_of(step_plan const& plan) const {
    json key{{"format", format}, {"program", program()}};
    for (auto const& [name, value] : plan.options.items()) key["--" + name] = value;
    for (auto const& step : plan.after) key["step " + step] = identity_of(step);
    return key;
}

/// What is wrong with the results of a step; empty where all are as they were.
std::string step_book::fault_of(json const& record) const {
    for (auto const& one : record.at("results")) {
        auto const was = from_json(one);
        auto const path = (fs::path(m_folder) / was.name).string();
        if (!fs::exists(path)) return was.name + " is not there";
        auto const is = glance_at(path, was.name);
        if (is.bytes != was.bytes)
            return was.name + " has " + std::to_string(is.bytes) + " bytes where " + std::to_string(was.bytes) + " were written";
        if (checksum_of(path) != was.checksum) return was.name + " is not what was written (checksum)";
    }
    return {};
}

void step_book::check_inputs(json const& was) {
    for (auto const& one : was) {
        auto const then = from_json(one);
        for (auto& [path, now] : m_inputs) {
            if (now.name != then.name || (now.bytes == then.bytes && now.modified == then.modified)) continue;
            if (now.bytes == then.bytes && now.checksum.empty()) now.checksum = checksum_of(path);
            if (now.bytes != then.bytes || now.checksum != then.checksum)
                throw std::runtime_error(path +
                                         " is not the file that the finished steps read: it has changed since. Put it back to go on, " +
                                         "or begin anew without --resume; nothing was touched");
        }
    }
}

std::optional<step_record> step_book::find(step_plan const& plan, std::string& why) {
    auto const path = path_of(plan.name);
    if (!m_resume || !fs::exists(path)) return std::nullopt;
    auto const name = "steps/" + plan.name + ".json";
    json record;
    try {
        std::ifstream in(path, std::ios::binary);
        record = json::parse(in);
        auto const checksum = record.at("checksum").get<std::string>();
        record.erase("checksum");
        if (checksum != hash_of(text_of(record))) why = name + " is damaged (checksum)";
    } catch (json::exception const&) { why = name + " is damaged"; }
    if (!why.empty()) return std::nullopt;
    for (auto const& input : plan.inputs) m_inputs.emplace_back(input, glance_at(input, fs::path(input).filename().string()));
    auto const key = key_of(plan);
    if (record.at("key") != key) why = difference(record.at("key"), key);
    else check_inputs(record.at("inputs")), why = fault_of(record);
    if (!why.empty()) return std::nullopt;
    note(plan, record);
    step_record out;
    for (auto const& one : record.at("results")) out.results.push_back(from_json(one));
    out.said = record.at("said");
    return out;
}

void step_book::begin(step_plan const& plan) {
    fs::create_directories(fs::path(m_folder) / "steps");
    fs::remove(path_of(plan.name));
    for (auto const& input : plan.inputs) {
        auto const name = fs::path(input).filename().string();
        auto const known = std::find_if(m_inputs.begin(), m_inputs.end(), [&](auto const& one) { return one.first == input; });
        if (known == m_inputs.end()) m_inputs.emplace_back(input, glance_at(input, name));
    }
    for (auto const& [path, then] : m_inputs)
        if (auto const now = glance_at(path, then.name); now.bytes != then.bytes || now.modified != then.modified)
            throw std::runtime_error(path + " has changed while the run was going on");
}

void step_book::finish(step_plan const& plan, step_record done) {
    json record{{"key", key_of(plan)}, {"inputs", json::array()}, {"results", json::array()}};
    for (auto const& input : plan.inputs)
        for (auto& [path, print] : m_inputs) {
            if (path != input) continue;
            if (print.checksum.empty()) print.checksum = checksum_of(path);
            if (auto const now = glance_at(path, print.name); now.bytes != print.bytes || now.modified != print.modified)
                throw std::runtime_error(path + " has changed while it was read");
            record["inputs"].push_back(to_json(print));
        }
    for (auto const& one : done.results) record["results"].push_back(to_json(one));
    record["said"] = std::move(done.said);
    record["checksum"] = hash_of(text_of(record));
    write_whole(path_of(plan.name), text_of(record, 1) + '\n');
    note(plan, record);
}

void step_book::note(step_plan const& plan, json const& record) {
    m_finished.push_back(plan.name);
    m_identities.emplace_back(plan.name, identity_in(record));
}

} // namespace music
