"""The table of the identity: pairs added up one by one beside the kernel of the factorization machine."""

TITLE = "## The identity"

HEAD = """
The sum over the pairs of a row of n features with k factors, as it is written and by the identity
(`docs/identity.md`), in 32 bits on one thread, vectors in cache; medians of nine that take turns.
"""


def table(stored, machine):
    """What is held of the section, as Markdown."""
    lines = ["", TITLE, "", f"{stored['date']}, {machine}.", HEAD, *times(stored["figures"])]
    return "\n".join(lines) + "\n"


def times(found):
    lines = ["| n | k | pairs | double sum | identity | times as fast |", "|---|---|---|---|---|---|"]
    for n, k in sorted(set(map(sizes, found)), key=lambda size: (size[0] == 39, size)):
        pairs, sums, ratio = (found[f"{what}, n = {n}, k = {k}"]["median"]
                              for what in ("double sum", "identity", "times"))
        lines.append(f"| {n} | {k} | {n * (n - 1) // 2:,} | {shown(1e9 / pairs)} | "
                     f"{shown(1e9 / sums)} | {ratio:.3g} |")
    return lines


def sizes(name):
    """Features and factors of a figure."""
    _, n, k = name.split(", ")
    return int(n.removeprefix("n = ")), int(k.removeprefix("k = "))


def shown(nanoseconds):
    return f"{nanoseconds:,.3g} ns" if nanoseconds < 1000 else f"{nanoseconds / 1000:,.1f} us"
