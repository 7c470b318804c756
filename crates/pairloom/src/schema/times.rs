//! Columns that are times, and the columns of their parts.

use super::{Column, Hints, Role, Schema};
use crate::error::flagged;
use crate::input::{TimePart, TimePattern};
use crate::{Error, Result};

impl Schema {
    /// The columns that are parts of times: of which column, and their names.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (usize, String)> {
        let times = self.columns.iter().enumerate();
        let times = times.filter_map(|(at, column)| Some((at, column, column.time.as_ref()?)));
        times.flat_map(|(at, column, pattern)| {
            pattern.parts().map(move |part| (at, part.column(&column.name)))
        })
    }

    /// The names of the columns of a file: all that are no parts of times.
    pub(crate) fn own_names(&self) -> Vec<String> {
        let parts: Vec<String> = self.parts().map(|(_, name)| name).collect();
        let own = self.columns.iter().filter(|column| !parts.contains(&column.name));
        own.map(|column| column.name.clone()).collect()
    }

    /// Where the times are in a file with columns of these names, and how each is written.
    pub(crate) fn times(&self, names: &[String]) -> Vec<(usize, TimePattern)> {
        if self.columns.iter().all(|column| column.time.is_none()) {
            return Vec::new();
        }
        let own = self.own_names();
        let columns = self.columns.iter().filter(|column| own.contains(&column.name));
        let own = Schema { columns: columns.cloned().collect(), ..self.clone() };
        let found = own.columns.iter().zip(own.positions(names));
        found.filter_map(|(column, at)| Some((at?, column.time.clone()?))).collect()
    }

    /// Adds the columns of the parts of times that are said, where there are none.
    ///
    /// # Errors
    /// [`Error::Usage`] if there is no such column, if one is said twice, or is a part of another itself.
    pub(super) fn add_times(&mut self, hints: &Hints) -> Result<()> {
        for (at, (name, pattern)) in hints.times.iter().enumerate() {
            let column = self.column(name)?;
            if hints.times[..at].iter().any(|(other, _)| other == name) {
                let time = flagged("time");
                return Err(Error::usage(format!("{time}: column '{name}' is there twice")));
            }
            self.columns[column].time = Some(pattern.clone());
            for name in pattern.parts().map(|part| part.column(name)) {
                if self.columns.iter().all(|column| column.name != name) {
                    self.columns.push(Column::new(name, Role::Ignore));
                }
            }
        }
        match self.parts().find(|(_, part)| hints.times.iter().any(|(name, _)| name == part)) {
            None => Ok(()),
            Some((of, part)) => {
                let (time, of) = (flagged("time"), &self.columns[of].name);
                Err(Error::usage(format!("{time}: '{part}' is a part of the time '{of}'")))
            }
        }
    }

    /// Gives roles to times that are said, and to their parts, where no other is `given`.
    pub(super) fn give_times(&mut self, given: &mut [bool], hints: &Hints) -> Result<()> {
        for (name, pattern) in &hints.times {
            let mut give = |name: &str, role| {
                let column = self.column(name)?;
                if !given[column] {
                    (self.columns[column].role, given[column]) = (role, true);
                }
                Ok::<(), Error>(())
            };
            give(name, Role::Ignore)?;
            for part in pattern.parts() {
                give(&part.column(name), role(part))?;
            }
        }
        Ok(())
    }
}

/// What a part is if nothing is said. Minutes are parts of an hour that hardly anything depends on.
fn role(part: TimePart) -> Role {
    if part == TimePart::Minute { Role::Ignore } else { Role::Categorical }
}
