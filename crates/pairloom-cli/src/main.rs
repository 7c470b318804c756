//! The `pairloom` command.

fn main() {}
