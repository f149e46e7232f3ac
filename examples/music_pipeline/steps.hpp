// SPDX-License-Identifier: MIT
// What a finished step leaves behind so that a later run can go on after it: DIR/steps/NAME.json, written when all its results are there.
//
// A step is taken over where its options, the steps on whose results it builds and the user's files that it read are as they were, and its
// own results are there with the checksums that they had. Everything else is said, and the step runs again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace music {

using json = nlohmann::ordered_json;

/// A file as it was: what would tell that it is another one now.
struct file_print {
    std::string name;
    std::uint64_t bytes = 0;
    std::int64_t modified = 0; ///< in the clock of the file system
    std::string checksum;      ///< empty = not read yet
};

/// Size and time of a file. @throws std::runtime_error naming it where it is not there.
file_print glance_at(std::string const& path, std::string const& name);
/// The checksum of its bytes. It can be stopped.
std::string checksum_of(std::string const& path);

/// A step as it is planned.
struct step_plan {
    std::string name;                ///< of its file: "05-als"
    json options;                    ///< those that change its results, by name
    std::vector<std::string> after;  ///< the steps on whose results it builds
    std::vector<std::string> inputs; ///< paths of the user's files that it reads
};

/// A step as it was done.
struct step_record {
    std::vector<file_print> results; ///< by their names in the folder of the results
    json said;                       ///< what it printed, wrote into the report and into result.json; values that later steps need
};

class step_book {
public:
    /// @param folder  of the results. @param resume  whether steps of an earlier run may be taken over.
    step_book(std::string folder, bool resume);

    /// The step, if an earlier run did it and nothing has changed. `why` says what has, where there is something to say.
    /// @throws std::runtime_error where a file of the user's is not what the step read.
    std::optional<step_record> find(step_plan const& plan, std::string& why);
    /// The step that was found last is not to be taken over after all.
    void forget() { m_finished.pop_back(), m_identities.pop_back(); }
    /// Before a step runs: what it was is forgotten. @throws std::runtime_error where a file of the user's changes under the run.
    void begin(step_plan const& plan);
    /// After it ran.
    void finish(step_plan const& plan, step_record record);

    /// Those that are there, in the order of the run.
    std::vector<std::string> const& finished() const { return m_finished; }
    std::string path_of(std::string const& step) const;

private:
    std::string const& identity_of(std::string const& step) const;
    json key_of(step_plan const& plan) const;
    void check_inputs(json const& was);
    std::string fault_of(json const& record) const;
    void note(step_plan const& plan, json const& record);

    std::string m_folder;
    bool m_resume;
    std::vector<std::string> m_finished;
    std::vector<std::pair<std::string, std::string>> m_identities; ///< of the steps that are there
    std::vector<std::pair<std::string, file_print>> m_inputs;      ///< path, print
};

/// Puts a text in a file's place at once. @throws std::runtime_error naming the file where it cannot be written.
void write_whole(std::string const& path, std::string const& text);

/// What turns one value into another: objects member by member, arrays by what was appended, else as a whole.
json changes(json const& from, json const& to);
void apply(json const& changes, json& to);

} // namespace music
