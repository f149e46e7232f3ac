#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""music_pipeline stopped and killed at many moments, and resumed: the same bytes as in one go, and what was damaged is done again.

resume.py PROGRAM [quick | long]

long: at a hundredth of the real size, one thread beside two, and twenty kills; nothing else. It takes some minutes."""
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

PROGRAM = sys.argv[1]
QUICK = "quick" in sys.argv[2:]
LONG = "long" in sys.argv[2:]
SIZE = ["--users", "300", "--tracks", "400", "--events", "20000"]
RECIPE = ["--trees", "30", "--tune-als", "--source-definitions", "--resamples", "100"]
RANDOM = random.Random(7)


def run(*arguments, limit=None):
    """Exit code, and everything that was said."""

    def before():
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, preexec_fn=before, check=False)
    return done.returncode, done.stdout + done.stderr


def must(code, words, *arguments, limit=None):
    """It ends with this code and says these words."""
    got, said = run(*arguments, limit=limit)
    if got != code or words not in said:
        sys.exit(f"{' '.join(map(str, arguments))} should end with {code} and say {words!r}; it ended with {got}:\n{said[-3000:]}")
    return said


def content(path):
    """Its bytes without times and memory, which differ from run to run."""
    data = path.read_bytes()
    if path.name == "times.csv":
        return b""
    if path.name == "result.json":
        result = json.loads(data)
        del result["seconds"], result["peak_rss_mb"]
        return json.dumps(result)
    return data[: data.rindex(b"<h2 ")] if path.name == "report.html" else data


def results(folder):
    steps = re.compile(r"steps/[^/]*\.json$")
    paths = [p for p in sorted(Path(folder).rglob("*")) if p.is_file() and not steps.search(p.as_posix())]
    return {str(p.relative_to(folder)): content(p) for p in paths}


def must_be_same(folder, wanted, when):
    got = results(folder)
    different = [name for name in sorted(wanted.keys() | got.keys()) if wanted.get(name) != got.get(name)]
    if different:
        sys.exit(f"{when}: {different} differ from the run in one go")


def fresh(name, source=None):
    shutil.rmtree(name, ignore_errors=True)
    if source:
        shutil.copytree(source, name)
    return name


def wait_for_line(running, words):
    for line in running.stdout:
        if words in line:
            return
    sys.exit(f"the run ended without a line {words!r}: {running.stderr.read()}")


def count_calls():
    """How many progress calls a run has, within a few."""
    low, high = 1, 2
    while run(*SIZE, *RECIPE, "--out", fresh("calls"), "--kill-after", high)[0] != 0:
        low, high = high, 2 * high
    while high - low > 8:
        middle = (low + high) // 2
        if run(*SIZE, *RECIPE, "--out", fresh("calls"), "--kill-after", middle)[0] != 0:
            low = middle
        else:
            high = middle
    return low


def ends_at_calls(wanted, n_calls):
    for trial in range(4 if QUICK else 12):
        how, code = [("--stop-after", 130), ("--kill-after", -signal.SIGKILL)][trial % 2]
        folder = fresh("ended")
        said = must(code, "", *SIZE, *RECIPE, "--out", folder, how, RANDOM.randint(1, n_calls), "--threads", 1)
        if code == 130 and ("stopped " not in said or ("Go on with:" in said) != any(Path(folder, "steps").glob("*.json"))):
            sys.exit(f"a run that was stopped should say where, and how to go on:\n{said[-2000:]}")
        must(0, "", *SIZE, *RECIPE, "--out", folder, "--resume", "--threads", 1 + trial % 3)
        must_be_same(folder, wanted, f"after {how}, resumed")


def kills_at_times(wanted, seconds):
    """Killed again and again, each time a bit later, and at last let go."""
    folder = fresh("killed")
    for trial in range(3 if QUICK else 10):
        with subprocess.Popen([PROGRAM, *SIZE, *RECIPE, "--out", folder, "--resume"], stdout=subprocess.DEVNULL) as running:
            time.sleep(RANDOM.uniform(0.05, 0.7) * seconds)
            running.kill()
        if trial % 3 == 2:
            must(0, "", *SIZE, *RECIPE, "--out", folder, "--resume")
            must_be_same(folder, wanted, "killed some times, resumed")
            folder = fresh("killed")
    must(0, "", *SIZE, *RECIPE, "--out", folder, "--resume")
    must_be_same(folder, wanted, "killed and resumed")


def damages(wanted):
    """Every file of the results but the two last, shorter, altered or gone."""
    kinds = [
        ("altered", lambda p: p.write_bytes(bytes([p.read_bytes()[0] ^ 1]) + p.read_bytes()[1:])),
        ("shorter", lambda p: p.write_bytes(p.read_bytes()[:-2])),
        ("gone", lambda p: p.unlink()),
    ]
    names = sorted(str(p.relative_to("whole")) for p in Path("whole").rglob("*") if p.is_file())
    names = [name for name in names if name not in ("result.json", "report.html", "times.csv")]
    RANDOM.shuffle(names)
    names[:0] = ["recommendations.csv", "steps/tracks.rsc"]  # which no step reads: only its checksum tells; a column file, cut off
    for place, name in enumerate(names[: 6 if QUICK else 24]):
        kind, damage = kinds[place % 3]
        folder = fresh("damaged", "whole")
        damage(Path(folder, name))
        said = "" if kind == "gone" and name.endswith(".json") else "runs again: " + name
        must(0, said, *SIZE, *RECIPE, "--out", folder, "--resume")
        must_be_same(folder, wanted, f"{name} {kind}, resumed")


def other_options(wanted):
    folder = fresh("other", "whole")
    more = [31 if word == "30" else word for word in RECIPE]
    must(0, "--trees was 30, is 31", *SIZE, *more, "--out", folder, "--resume")
    must(0, "", *SIZE, *more, "--out", fresh("fresh"))
    must_be_same(folder, results("fresh"), "--trees changed and resumed")
    said = must(0, "--trees was 31, is 30", *SIZE, *RECIPE, "--out", folder, "--resume")
    must_be_same(folder, wanted, "--trees changed back and resumed")
    if said.count("done by an earlier run") < 10:
        sys.exit("a step that does not depend on --trees ran again")


def inputs_that_change(wanted):
    data = Path(fresh("input", "whole/data"))
    arguments = ["--data", data, *RECIPE]
    must(0, "", *arguments, "--out", fresh("from"))
    of_input = results("from")
    must(130, "stopped in step '8 Ranker'", *arguments, "--out", fresh("changed"), "--stop-after", 60)
    before = results("changed")
    plays = data / "interactions.csv"
    old, times = plays.read_bytes(), plays.stat()
    plays.write_bytes(old[:-2] + bytes([old[-2] ^ 1]) + old[-1:])
    must(1, f"{plays} is not the file that the finished steps read", *arguments, "--out", "changed", "--resume")
    plays.write_bytes(old + b"1,1,1,2022-05-05\n")
    must(1, f"{plays} is not the file that the finished steps read", *arguments, "--out", "changed", "--resume")
    must_be_same("changed", before, "after an input changed")
    plays.write_bytes(old)
    os.utime(plays, ns=(times.st_atime_ns, times.st_mtime_ns + 10**9))
    must(0, "done by an earlier run", *arguments, "--out", "changed", "--resume")
    must_be_same("changed", of_input, "its input put back, resumed")
    if of_input["recommendations.csv"] != wanted["recommendations.csv"]:
        sys.exit("the same data should give the same recommendations from --data")


def inputs_that_change_under_a_run():
    """Stopped for a moment while it is under way, the input changed meanwhile."""
    data = Path(fresh("moving", "whole/data"))
    with subprocess.Popen([PROGRAM, "--data", data, *RECIPE, "--out", fresh("moved")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        wait_for_line(running, "0 Input")
        running.send_signal(signal.SIGSTOP)
        with open(data / "interactions.csv", "ab") as plays:
            plays.write(b"1,1,1,2022-05-05\n")
        running.send_signal(signal.SIGCONT)
        _, error = running.communicate()
    if running.returncode != 1 or f"{data / 'interactions.csv'} has changed while" not in error:
        sys.exit(f"an input that changes under a run should end it with 1, it ended with {running.returncode}: {error[-2000:]}")


def column_files_that_are_damaged():
    """The input as column files, cut off or with a bit that differs: the file is named, and no result is begun."""
    must(0, "", *SIZE, "--generate-only", "--format", "columns", "--out", fresh("packed"))
    for name in ("tracks.rsc", "catalog_names.rsc", "interactions.rsc"):
        whole = Path("packed", name).read_bytes()
        for damaged in (whole[: len(whole) // 2], whole[:-1], whole[:3000] + bytes([whole[3000] ^ 1]) + whole[3001:]):
            Path("packed", name).write_bytes(damaged)
            must(1, f"packed/{name}", "--data", "packed", *RECIPE, "--out", fresh("from_packed"))
        Path("packed", name).write_bytes(whole)


def full_disk(wanted):
    """Limits of the size of a file stand for a disk that is full: the error names the file, what was done stays."""
    sizes = {name: os.path.getsize(Path("whole", name)) for name in wanted}
    folder = fresh("full")
    for limit in sorted({sizes[name] - 1 for name in ("events.csv", "recommendations.csv", "candidates_for_train.csv", "data/interactions.csv")}):
        said = must(1, "cannot be written", *SIZE, *RECIPE, "--out", folder, "--resume", limit=limit)
        name = re.search(r"(\S+)\.part: cannot be written|(\S+): cannot be written", said)
        name = str(Path(name.group(1) or name.group(2)).relative_to(folder))
        if sizes.get(name, 1 << 40) <= limit:
            sys.exit(f"{name} does fit into {limit} bytes, yet it is named:\n{said[-1500:]}")
        if list(Path(folder).rglob("*.part")):
            sys.exit("a file that was half written was left there")
    must(0, "done by an earlier run", *SIZE, *RECIPE, "--out", folder, "--resume")
    must_be_same(folder, wanted, "the disk was full, resumed")


def forms_of_tables(wanted):
    """Too little disk is said before anything is done; tables can be left out or packed, and the recommendations stay as they are."""
    said = must(1, "are needed yet", *SIZE, *RECIPE, "--out", fresh("forms"), "--pretend-free", 100000)
    if any(Path("forms").iterdir()):
        sys.exit(f"a run without the disk that it needs began all the same: {said}")
    must(0, "", *SIZE, *RECIPE, "--out", "forms", "--no-candidate-tables")
    got = results("forms")
    if sorted(wanted.keys() - got.keys()) != ["candidates_for_train.csv", "candidates_to_rank.csv"] or got["recommendations.csv"] != wanted["recommendations.csv"]:
        sys.exit("--no-candidate-tables should leave out the two tables and change nothing else")
    must(0, "--tables was", *SIZE, *RECIPE, "--out", "forms", "--tables", "columns", "--resume")
    for name in ("events", "personal_als", "candidates_for_train", "candidates_to_rank", "recommendations"):
        table = Path("forms", name + ".rsc")
        if Path("forms", name + ".csv").exists() or table.stat().st_size > 0.7 * os.path.getsize(Path("whole", name + ".csv")):
            sys.exit(f"{table} should stand in the place of the CSV file and be smaller: {table.stat().st_size}")


def signals(wanted):
    for _ in range(5):  # where it comes too late, again
        folder = fresh("signalled")
        with subprocess.Popen([PROGRAM, *SIZE, *RECIPE, "--out", folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
            wait_for_line(running, "5 ALS")
            running.send_signal(signal.SIGTERM)
            _, error = running.communicate()
        if running.returncode != 0:
            break
    if running.returncode != 130 or "music_pipeline: stopped" not in error:
        sys.exit(f"SIGTERM should end a run with 130, it ended with {running.returncode}: {error}")
    must(0, "", *SIZE, *RECIPE, "--out", folder, "--resume")
    must_be_same(folder, wanted, "SIGTERM and resumed")


def ends_soon(arguments, line):
    """Ctrl-C a moment after a line was printed."""
    with subprocess.Popen([PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        wait_for_line(running, line)
        time.sleep(RANDOM.uniform(0.1, 0.6))
        running.send_signal(signal.SIGINT)
        begin = time.monotonic()
        _, error = running.communicate()
        took = time.monotonic() - begin
    if running.returncode != 130 or "music_pipeline: stopped" not in error or took > 10:  # on a machine that is busy
        sys.exit(f"Ctrl-C after {line!r} should end the run soon and with 130, it took {took:.1f} s and ended with {running.returncode}: {error}")


def stops_in_long_steps():
    """Where one call of a library takes long: data that are made, intervals of the evaluation."""
    large = ["--users", "30000", "--tracks", "30000", "--events", "6000000"]
    for threads in (1, 2):
        ends_soon([*large, "--generate-only", "--threads", threads, "--out", fresh("large")], "Making data")
        if list(Path("large").glob("*.part")):
            sys.exit("a file that was half written was left there")
    resumed = [*SIZE, *RECIPE[:-1], "400000", "--out", fresh("intervals", "whole"), "--resume"]
    ends_soon(resumed, "9 Evaluation")


def two_signals():
    """Where a run does not get to a progress call, a second signal ends it. Stopped, it gets both at once."""
    with subprocess.Popen([PROGRAM, *SIZE, *RECIPE, "--out", fresh("twice")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        running.stdout.readline()
        running.send_signal(signal.SIGSTOP)
        running.send_signal(signal.SIGINT)
        running.send_signal(signal.SIGTERM)
        running.send_signal(signal.SIGCONT)
    if running.returncode not in (130, 143):
        sys.exit(f"a second signal should end the program, it ended with {running.returncode}")


def long_runs():
    """A hundredth of the real size: the same bytes with one thread and two, and killed at twenty moments of all steps."""
    size = ["--users", "13732", "--tracks", "10000", "--events", "2226299"]
    begin = time.monotonic()
    must(0, "", *size, "--out", fresh("one"), "--threads", 1)
    wanted = results("one")
    print(f"one thread: {time.monotonic() - begin:.0f} s", flush=True)
    begin = time.monotonic()
    must(0, "", *size, "--out", fresh("two"), "--threads", 2)
    seconds = time.monotonic() - begin
    must_be_same("two", wanted, "two threads")
    print(f"two threads: {seconds:.0f} s, the same bytes", flush=True)
    places, kills = [], 0
    while kills < 20:
        folder = fresh("killed")
        for _ in range(5):
            with subprocess.Popen([PROGRAM, *size, "--out", folder, "--resume"], stdout=subprocess.PIPE, text=True) as running:
                timer = threading.Timer(RANDOM.uniform(0.02, 0.5) * seconds, running.kill)
                timer.start()
                said = running.stdout.read()
                timer.cancel()
            if running.returncode == 0:
                break
            kills += 1
            places.append(re.findall(r"^(\d+ .*|Making data)$", "\n" + said, re.M)[-1:])
        must(0, "", *size, "--out", folder, "--resume")
        must_be_same(folder, wanted, f"killed {kills} times, resumed")
        print(f"{kills} kills, the same bytes", flush=True)
    print("killed in or after:", "; ".join(sum(places, [])))


def main():
    if LONG:
        return long_runs()
    begin = time.monotonic()
    must(0, "", *SIZE, *RECIPE, "--out", fresh("whole"))
    seconds = time.monotonic() - begin
    wanted = results("whole")
    said = must(0, "done by an earlier run", *SIZE, *RECIPE, "--out", "whole", "--resume")
    must_be_same("whole", wanted, "resumed when all was done")
    if said.count("done by an earlier run") != len(list(Path("whole/steps").glob("*.json"))):
        sys.exit("a resumed run did again what had been done")
    ends_at_calls(wanted, count_calls())
    kills_at_times(wanted, seconds)
    damages(wanted)
    other_options(wanted)
    inputs_that_change(wanted)
    full_disk(wanted)
    forms_of_tables(wanted)
    inputs_that_change_under_a_run()
    column_files_that_are_damaged()
    signals(wanted)
    stops_in_long_steps()
    two_signals()
    print("stopped, killed, damaged and resumed: the same bytes")


main()
