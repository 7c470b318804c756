//! Explanations for machines.

use super::by_field::{ByField, FieldPart};
use super::found::{FieldImportance, Importance, PairImportance, ValuePair, Worse};
use super::row::{Pair, Value};
use super::{Explained, Names};
use crate::model::Model;
use serde_json::{Map, json};

impl Explained {
    /// The row as a JSON object, with the names of columns and values: see `pairloom explain --json`.
    pub fn to_json(&self, model: &Model) -> serde_json::Value {
        let names = Names::new(model);
        let Explained { row, line, label, cells, explanation } = self;
        let ByField { fields, pairs } = explanation.by_field(&model.encoding);
        let class = explanation.class.map(|at| &model.encoding.target.names()[at]);
        let name = |field: usize| names.field(field);
        let field = |part: &FieldPart| {
            json!({
                "column": name(part.field), "cell": cells[part.field],
                "contribution": part.contribution(), "linear": part.linear, "within": part.within,
            })
        };
        let value = |value: &Value| {
            json!({
                "id": value.id, "name": names.feature(value.id), "x": value.x,
                "contribution": value.contribution,
            })
        };
        let pair = |pair: &Pair| {
            let names = pair.ids.map(|id| names.feature(id));
            json!({ "ids": pair.ids, "names": names, "contribution": pair.contribution })
        };
        json!({
            "row": row, "line": line, "label": label, "class": class,
            "score": explanation.score, "bias": explanation.bias, "rounding": explanation.rounding,
            "columns": fields.iter().map(field).collect::<Vec<_>>(),
            "column_pairs": pairs.iter().map(|pair| json!({
                "columns": pair.fields.map(name), "contribution": pair.contribution,
            })).collect::<Vec<_>>(),
            "products": explanation.products.iter().map(|(order, sum)| json!({
                "order": order, "contribution": sum,
            })).collect::<Vec<_>>(),
            "values": explanation.values.iter().map(value).collect::<Vec<_>>(),
            "pairs": explanation.pairs.iter().map(pair).collect::<Vec<_>>(),
            "corrected_score": explanation.steps.corrected,
            "uncalibrated": explanation.steps.uncalibrated,
            "prediction": explanation.steps.prediction,
        })
    }
}

impl Importance {
    /// All of it as a JSON object, with the names of columns and values: see `pairloom explain --importance --json`.
    pub fn to_json(&self, model: &Model) -> serde_json::Value {
        let names = Names::new(model);
        let Importance { rows, of, metrics, fields, pairs, products, values, outcome, .. } = self;
        let field = |of: &FieldImportance| {
            let mut object = self.worse_json(Some(of.loss), of.quality);
            object.insert("column".into(), names.field(of.field).into());
            let numbers = [("own", of.own), ("pairs", of.pairs), ("spread", of.spread)];
            object.extend(numbers.map(|(name, number)| (name.into(), number.into())));
            serde_json::Value::Object(object)
        };
        let pair = |of: &PairImportance| {
            let mut object = self.worse_json(of.loss, of.quality);
            object.insert("columns".into(), json!(of.fields.map(|field| names.field(field))));
            let numbers = [("weight", of.weight), ("spread", of.spread)];
            object.extend(numbers.map(|(name, number)| (name.into(), number.into())));
            serde_json::Value::Object(object)
        };
        let value = |of: &ValuePair| {
            json!({
                "ids": of.ids, "names": of.ids.map(|id| names.feature(id)),
                "contribution": of.contribution, "weight": of.weight, "rows": of.rows,
            })
        };
        json!({
            "rows": rows, "of": of, "metrics": metrics,
            "columns": fields.iter().map(field).collect::<Vec<_>>(),
            "column_pairs": pairs.iter().map(pair).collect::<Vec<_>>(),
            "products": products.iter().map(|of| json!({
                "order": of.order, "weight": of.weight,
            })).collect::<Vec<_>>(),
            "value_pairs": values.iter().map(value).collect::<Vec<_>>(),
            "skipped_rows": outcome.skipped.rows,
        })
    }

    /// What becomes worse, by the names of the figures.
    fn worse_json(
        &self,
        loss: Option<Worse>,
        quality: Option<Worse>,
    ) -> Map<String, serde_json::Value> {
        let json = |of: Option<Worse>| {
            of.map_or(
                serde_json::Value::Null,
                |of| json!({ "mean": of.mean, "deviation": of.deviation }),
            )
        };
        let mut object = Map::new();
        object.insert(format!("{}_worse", self.loss), json(loss));
        if let Some(name) = self.quality {
            object.insert(format!("{name}_worse"), json(quality));
        }
        object
    }
}
