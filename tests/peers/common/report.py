# SPDX-License-Identifier: MIT
"""Answers of interleaved rounds become a table: medians, ranges, and ratios round by round."""
import statistics


def figure(value):
    """Three digits that mean something."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:.{digits}f}" if value >= 0.01 or value == 0 else f"{value:.2g}"


def spread(values):
    if any(value is None for value in values):
        return "not reached"
    text = figure(statistics.median(values))
    return text if len(values) == 1 else f"{text} ({figure(min(values))}-{figure(max(values))})"


def quality_of(answers, keys):
    """Medians of one key or several, each to four digits."""
    texts = []
    for key in [keys] if isinstance(keys, str) else keys:
        values = [answer[key] for answer in answers if key in answer]
        texts.append(f"{statistics.median(values):.4f}" if values else "-")
    return ", ".join(texts)


class Table:
    def __init__(self, note):
        self.rows = []
        self.note = note

    def add(self, work, unit, key, ours, peers, quality=None):
        """One row for each peer; `ours` and each of `peers` hold an answer a round. Without peers a row of ours alone."""
        mine = [answer[key] for answer in ours]
        for label, answers in (peers or {"-": []}).items():
            theirs = [answer[key] for answer in answers]
            known = theirs and None not in mine
            ratio = spread([theirs_now / mine_now for mine_now, theirs_now in zip(mine, theirs)]) if known else "-"
            both = f"{quality_of(ours, quality)} / {quality_of(answers, quality)}" if quality else "-"
            self.rows.append([work, f"{spread(mine)} {unit}", label, spread(theirs) if theirs else "-", ratio, both])

    def add_means(self, work, key, ours, peers):
        """One row for each peer: means over seeds, and the mean of the paired differences with its standard error."""
        mine = [answer[key] for answer in ours]
        for label, answers in peers.items():
            theirs = [answer[key] for answer in answers]
            differences = [a - b for a, b in zip(mine, theirs)]
            error = statistics.stdev(differences) / len(differences) ** 0.5 if len(differences) > 1 else 0
            self.rows.append([work, f"{statistics.mean(mine):.5f}", label, f"{statistics.mean(theirs):.5f}",
                              f"{statistics.mean(differences):+.5f} ({error:.5f})", "-"])

    def markdown(self, heading):
        lines = [heading, "", "| work | ours | beside | theirs | ratio | quality, ours / theirs |", "| --- | --- | --- | --- | --- | --- |"]
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        lines += ["", self.note]
        return "\n".join(lines) + "\n"
