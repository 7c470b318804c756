//! The page of what is important.

use super::Told;
use crate::describe::{schema_rows, sentence, setting_rows};
use crate::screen::{command_line, metric_rows, metric_title, own_words};
use pairloom::Model;
use pairloom::explain::PairImportance;
use pairloom::report::{self, Bar, Bars, HeatMap, Report, Table};

/// Columns that are drawn, and lines of the tables beneath, at the most.
const DRAWN: usize = 24;

impl Told<'_> {
    pub fn page<'p>(&self, model: &Model, name: &str, data: &str) -> Report<'p> {
        let metrics = metric_rows(&self.found.metrics).into_iter();
        let metrics = metrics.filter_map(|row| Some((row.first()?.clone(), row.get(1)?.clone())));
        Report {
            title: name.into(),
            lead: sentence(model),
            command: Some(command_line(own_words())),
            metrics: metrics.collect(),
            importance: Some(self.drawn(data)),
            settings: setting_rows(model),
            schema: schema_rows(model),
            ..Report::default()
        }
    }

    fn drawn(&self, data: &str) -> report::Importance {
        let loss = metric_title(self.found.loss);
        let table = |title: &str, mut rows: Vec<Vec<String>>| {
            let header = rows.remove(0);
            Table { title: title.into(), header, rows }
        };
        report::Importance {
            title: "Importance".into(),
            note: format!(
                "On {data}: {}. What columns and pairs add is in units of the score, in the mean over the rows \
                 and without signs; {loss} is compared with that of rows whose column, or what a pair adds, comes \
                 from other rows drawn at random.",
                self.rows()
            ),
            bars: self.bars(&loss),
            maps: self.maps(&loss),
            tables: vec![
                table("Columns", self.fields(usize::MAX)),
                table("Pairs of columns", self.pairs(10 * DRAWN)),
                table("Pairs of values", self.values()),
            ],
        }
    }

    fn bars(&self, loss: &str) -> Vec<Bars> {
        let fields = || self.found.fields.iter().take(DRAWN);
        let bar = |field, value, deviation| Bar { name: self.names.field(field), value, deviation };
        let exchanged = fields().map(|of| bar(of.field, of.loss.mean, Some(of.loss.deviation)));
        let spread = fields().map(|of| bar(of.field, of.spread, None));
        vec![
            Bars {
                title: "If a column is exchanged".into(),
                unit: format!(
                    "increase of the {loss}; the line is one standard deviation each way"
                ),
                rows: exchanged.collect(),
            },
            Bars {
                title: "What a column adds, alone and in pairs".into(),
                unit: "standard deviation over the rows, in units of the score".into(),
                rows: spread.collect(),
            },
        ]
    }

    fn maps(&self, loss: &str) -> Vec<HeatMap> {
        let fields: Vec<usize> = self.found.fields.iter().take(DRAWN).map(|of| of.field).collect();
        let place = |field: usize| fields.iter().position(|&known| known == field);
        let cells = |value: fn(&PairImportance) -> Option<f64>| -> Vec<(usize, usize, f64)> {
            let cell = |of: &PairImportance| {
                Some((place(of.fields[0])?, place(of.fields[1])?, value(of)?))
            };
            self.found.pairs.iter().filter_map(cell).collect()
        };
        let names: Vec<String> = fields.iter().map(|&field| self.names.field(field)).collect();
        let map = |title: String, unit: String, cells: Vec<_>| HeatMap {
            title,
            unit,
            names: names.clone(),
            cells,
        };
        if self.found.pairs.is_empty() {
            return Vec::new();
        }
        vec![
            map(
                "What pairs of columns add".into(),
                "mean over the rows, without signs, in units of the score".into(),
                cells(|of| Some(of.weight)),
            ),
            map(
                "If what a pair of columns adds is exchanged".into(),
                format!("increase of the {loss}"),
                cells(|of| of.loss.map(|loss| loss.mean)),
            ),
        ]
    }
}
