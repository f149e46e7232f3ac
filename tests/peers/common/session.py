# SPDX-License-Identifier: MIT
"""One call of a comparison: builds ours, makes data, lets contestants take turns, keeps what each run said."""
import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from machine import cpu_name
from report import Table

TOP = Path(__file__).resolve().parents[3]
CXX_FLAGS = {"plain": "-O2", "native": "-O3 -march=native"}


class Session:
    """Where things are, and how a contestant is run. A comparison says which targets are ours and what its table's last line is."""

    def __init__(self, name, targets, note, options):
        self.work = TOP / ".build" / name
        self.targets = targets
        self.options = options
        self.rounds = options.rounds or (1 if options.quick else 3)
        self.table = Table(note)
        self.work.mkdir(parents=True, exist_ok=True)
        self.log = (self.work / "runs.jsonl").open("w", encoding="utf-8")
        self.built = set()

    def say(self, text):
        print(text, file=sys.stderr, flush=True)

    def checked(self, command, env=None):
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=env, check=False)
        if done.returncode != 0:
            sys.exit(f"failed ({done.returncode}): {' '.join(map(str, command))}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
        return done.stdout

    def build(self, flags="plain"):
        """The folder of our programs."""
        folder = self.work / f"build_{flags}"
        if flags not in self.built:
            self.say(f"building ours ({CXX_FLAGS[flags]})")
            self.checked(["cmake", "-S", TOP, "-B", folder, "-DCMAKE_BUILD_TYPE=None", f"-DCMAKE_CXX_FLAGS={CXX_FLAGS[flags]}",
                          "-DRECSYS_BUILD_EXAMPLES=OFF", "-DRECSYS_TEST_STRUCTURE=OFF", "-DRECSYS_BUILD_BENCHMARKS=ON"])
            self.checked(["cmake", "--build", folder, "--target", *self.targets])
            self.built.add(flags)
        return folder / "tests/bench"

    def data(self, name, program, shape):
        """A folder with raw arrays. meta.json is written last: where it stands, they are whole."""
        folder = self.work / "data" / f"{name.replace(' ', '')}_{'_'.join(map(str, shape))}"
        if not (folder / "meta.json").exists():
            self.say(f"making data {name}")
            folder.mkdir(parents=True, exist_ok=True)
            self.checked([self.build() / program, folder, *shape])
        return folder

    def run(self, label, command, env=None):
        out = json.loads(self.checked(command, env).splitlines()[-1])
        self.log.write(json.dumps({"contestant": label, "command": [str(word) for word in command[1:]], "load": os.getloadavg()[0], **out}) + "\n")
        self.log.flush()
        return out

    def level_words(self):
        """What holds our programs at a level."""
        return [f"level={self.options.level}"] if self.options.level else []

    def interleave(self, name, contestants, once=()):
        """{label: a function that runs it}; every round runs all but those that run `once`. Returns {label: [an answer a round]}."""
        answers = {label: [] for label in contestants}
        for number in range(self.rounds):
            for label, call in contestants.items():
                if number > 0 and label in once:
                    continue
                self.say(f"{name}: round {number + 1} of {self.rounds}: {label}")
                answers[label].append(call())
        return answers

    def finish(self, data):
        """Writes and prints the table."""
        threads, rounds = self.options.threads, self.rounds
        held = f", all held at {self.options.level.upper()}" if self.options.level else ""
        text = self.table.markdown(f"{cpu_name()}{held}, {os.cpu_count()} cores, {threads} thread{'s' if threads > 1 else ''}, "
                                   f"{rounds} round{'s' if rounds > 1 else ''}, data {data}")
        (self.work / "report.md").write_text(text, encoding="utf-8")
        print(text)


def parser_of(description, comparisons, quick):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{quick} and one round: whether it runs, not how fast")
    parser.add_argument("--rounds", type=int, help="default: 3, with --quick 1")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--level", choices=["avx2"], help="ours, OpenBLAS and faiss use no wider instructions than these")
    parser.add_argument("--only", action="append", choices=comparisons, help="a comparison; may be given several times")
    parser.add_argument("--list", action="store_true", help="the names of the comparisons")
    return parser
